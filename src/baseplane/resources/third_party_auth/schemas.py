from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, model_validator

from baseplane.api.bodies import NOT_EMPTY, Body, Text, at_most, bounded_json
from baseplane.resources.third_party_auth import jwks
from baseplane.resources.third_party_auth.store import Integration

MAX_JWKS = 64 * 1024
SOURCES = ("oidc_issuer_url", "jwks_url", "custom_jwks")


def _jwks(document: Any) -> dict[str, Any]:
    kept: dict[str, Any] = bounded_json(document, MAX_JWKS)
    jwks.usable(kept)
    return kept


Url = Annotated[Text, NOT_EMPTY, at_most(2048)]


class CreateThirdPartyAuthBody(Body):
    oidc_issuer_url: Url | None = None
    jwks_url: Url | None = None
    custom_jwks: Annotated[Any, AfterValidator(lambda given: None if given is None else _jwks(given))] = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if sum(getattr(self, name) is not None for name in SOURCES) != 1:
            raise ValueError(f"give exactly one of {', '.join(SOURCES)}")
        return self


class ThirdPartyAuth(Body):
    id: UUID
    type: str
    oidc_issuer_url: str | None
    jwks_url: str | None
    custom_jwks: dict[str, Any] | None
    resolved_jwks: dict[str, Any]
    inserted_at: datetime
    updated_at: datetime
    resolved_at: datetime

    @classmethod
    def of(cls, found: Integration) -> Self:
        return cls(
            id=found.id,
            type=found.type,
            oidc_issuer_url=found.oidc_issuer_url,
            jwks_url=found.jwks_url,
            custom_jwks=found.custom_jwks,
            resolved_jwks=found.resolved_jwks,
            inserted_at=found.inserted_at,
            updated_at=found.updated_at,
            resolved_at=found.resolved_at,
        )
