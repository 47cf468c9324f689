from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from baseplane.api.bodies import Body, Text, at_most, bounded_json
from baseplane.resources.projects.api_keys import ApiKey

MASK = "·" * 16
MAX_TEMPLATE = 4096
"""Bytes of a template as JSON: it goes along with every request."""
OURS = frozenset({"iss", "ref", "iat", "exp", "nbf"})
"""Claims that a template may not set."""


def _template(template: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = bounded_json(template, MAX_TEMPLATE)
    role = kept.get("role")
    if not isinstance(role, str) or not 0 < len(role.encode()) < 64:
        raise ValueError('must have a "role": the name of a role of the database, such as service_role')
    if taken := OURS & kept.keys():
        raise ValueError(f"must not set {', '.join(sorted(taken))}, which the platform sets")
    return kept


Name = Annotated[str, Field(min_length=4, max_length=64, pattern=r"^[a-z_][a-z0-9_]+$")]
Description = Annotated[Text, at_most(1000)]
Template = Annotated[dict[str, Any], AfterValidator(_template)]


class ApiKeyResponse(Body):
    """``api_key`` of a secret one is its beginning and dots, unless it was asked for."""

    api_key: str | None
    id: str | None
    type: Literal["legacy", "publishable", "secret"] | None
    prefix: str | None = None
    name: str
    description: str | None = None
    hash: str | None = None
    secret_jwt_template: dict[str, Any] | None = None
    inserted_at: datetime | None = None
    updated_at: datetime | None = None

    @classmethod
    def of(cls, key: ApiKey, text: str, *, reveal: bool) -> Self:
        return cls(
            api_key=text if reveal or key.type == "publishable" else key.prefix + MASK,
            id=str(key.id),
            type=key.type,
            prefix=key.prefix,
            name=key.name,
            description=key.description,
            hash=key.digest.hex(),
            secret_jwt_template=key.token_claims,
            inserted_at=key.inserted_at,
            updated_at=key.updated_at,
        )


class CreateApiKeyBody(Body):
    type: Literal["publishable", "secret"]
    name: Name
    description: Description | None = None
    secret_jwt_template: Template | None = None

    @model_validator(mode="after")
    def _has_its_template(self) -> Self:
        if self.type == "publishable" and self.secret_jwt_template is not None:
            raise ValueError("secret_jwt_template: is for secret keys; a publishable key always acts as anon")
        return self


class UpdateApiKeyBody(Body):
    """What is left out stays as it is."""

    name: Name | None = None
    description: Description | None = None
    secret_jwt_template: Template | None = None


class LegacyApiKeysResponse(Body):
    enabled: bool
