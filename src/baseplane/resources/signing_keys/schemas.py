from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from baseplane.api.bodies import Body, ClosedBody, at_most
from baseplane.resources.signing_keys.lifecycle import Status
from baseplane.resources.signing_keys.material import OF_TYPE, Algorithm
from baseplane.resources.signing_keys.store import SigningKey

Number = Annotated[str, at_most(2048)]
"""A number or bytes in base64url."""


class _PrivateJwk(ClosedBody):
    """``kid`` becomes the id of the signing key."""

    kid: UUID | None = None
    use: Literal["sig"] | None = None
    key_ops: Annotated[list[Literal["sign", "verify"]], Field(min_length=2, max_length=2)] | None = None
    ext: Literal[True] | None = None


class RsaJwk(_PrivateJwk):
    kty: Literal["RSA"]
    alg: Literal["RS256"] | None = None
    n: Number
    e: Literal["AQAB"]
    d: Number
    p: Number
    q: Number
    dp: Number
    dq: Number
    qi: Number


class EcJwk(_PrivateJwk):
    kty: Literal["EC"]
    alg: Literal["ES256"] | None = None
    crv: Literal["P-256"]
    x: Number
    y: Number
    d: Number


class OkpJwk(_PrivateJwk):
    kty: Literal["OKP"]
    alg: Literal["EdDSA"] | None = None
    crv: Literal["Ed25519"]
    x: Number
    d: Number


class OctJwk(_PrivateJwk):
    kty: Literal["oct"]
    alg: Literal["HS256"] | None = None
    k: Annotated[str, Field(min_length=16), at_most(2048)]


class CreateSigningKeyBody(ClosedBody):
    algorithm: Algorithm
    status: Literal["in_use", "standby"] = "standby"
    private_jwk: Annotated[RsaJwk | EcJwk | OkpJwk | OctJwk, Field(discriminator="kty")] | None = None

    @model_validator(mode="after")
    def _is_of_one_algorithm(self) -> Self:
        if self.private_jwk is not None and OF_TYPE[self.private_jwk.kty] != self.algorithm:
            raise ValueError(f"private_jwk.kty: {self.private_jwk.kty} is no key for {self.algorithm}")
        return self


class UpdateSigningKeyBody(ClosedBody):
    status: Status


class SigningKeyResponse(Body):
    """``public_jwk`` is null for a shared secret, which has no public half."""

    id: UUID
    algorithm: Algorithm
    status: Status
    public_jwk: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, key: SigningKey) -> Self:
        return cls(
            id=key.id,
            algorithm=key.algorithm,
            status=key.status,
            public_jwk=key.public_jwk,
            created_at=key.created_at,
            updated_at=key.updated_at,
        )


class SigningKeysResponse(Body):
    keys: list[SigningKeyResponse]
