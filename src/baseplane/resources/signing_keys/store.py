"""Keys that a project's tokens are signed with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import orjson
import psycopg
from psycopg.types.json import Jsonb

from baseplane.database import Connection, maybe, one, rows, value
from baseplane.database.secrets import Keyring
from baseplane.errors import Conflict, Invalid
from baseplane.resources.signing_keys.lifecycle import Status
from baseplane.resources.signing_keys.material import Algorithm, Material

MISSING = "Signing key not found"
MOST = 20
"""Keys of one project: all of them are in the key set that verifiers fetch."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """``is_legacy`` is the project's JWT secret. ``id`` is the kid of its tokens, but for the legacy one's."""

    project_ref: str
    id: UUID
    algorithm: Algorithm
    status: Status
    is_legacy: bool
    public_jwk: dict[str, Any] | None
    sealed: bytes
    created_at: datetime
    updated_at: datetime

    def private_jwk(self, keyring: Keyring) -> dict[str, Any]:
        """Raises Unavailable."""
        jwk: dict[str, Any] = orjson.loads(keyring.open(self.sealed, _purpose(self.project_ref, self.id)))
        return jwk


_KEY: LiteralString = "project_ref, id, algorithm, status, is_legacy, public_jwk, sealed, created_at, updated_at"


def _purpose(ref: str, key_id: UUID) -> str:
    return f"signing_keys.jwk:{ref}:{key_id}"


async def insert(
    db: Connection, keyring: Keyring, ref: str, material: Material, *, status: Status, is_legacy: bool = False
) -> SigningKey:
    """One that is in use makes the one before it previously used. Raises Conflict, Invalid."""
    if await value(db, "select count(*) from signing_keys where project_ref = %s", [ref]) >= MOST:
        raise Invalid(f"The project has {MOST} signing keys, the most there may be. Revoke and remove one.")
    if status == "in_use":
        await _retire(db, ref)
    key_id = UUID(material.private["kid"])
    public = None if material.public is None else Jsonb(material.public)
    sealed = keyring.seal(orjson.dumps(material.private).decode(), _purpose(ref, key_id))
    query: LiteralString = (
        "insert into signing_keys (project_ref, id, algorithm, status, is_legacy, public_jwk, sealed)"
        " values (%s, %s, %s, %s, %s, %s, %s) returning " + _KEY
    )
    params = [ref, key_id, material.algorithm, status, is_legacy, public, sealed]
    try:
        return await one(db, SigningKey, query, params, missing=MISSING)
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(f"private_jwk.kid: the project has a signing key {key_id} already.") from error


async def _retire(db: Connection, ref: str) -> None:
    await db.execute(
        "update signing_keys set status = 'previously_used', updated_at = now()"
        " where project_ref = %s and status = 'in_use'",
        [ref],
    )


async def get(db: Connection, ref: str, key_id: UUID) -> SigningKey:
    """Raises NotFound."""
    query: LiteralString = "select " + _KEY + " from signing_keys where project_ref = %s and id = %s"
    return await one(db, SigningKey, query, [ref, key_id], missing=MISSING)


async def find_legacy(db: Connection, ref: str) -> SigningKey | None:
    query: LiteralString = "select " + _KEY + " from signing_keys where project_ref = %s and is_legacy"
    return await maybe(db, SigningKey, query, [ref])


async def list_of(db: Connection, ref: str) -> list[SigningKey]:
    query: LiteralString = "select " + _KEY + " from signing_keys where project_ref = %s order by created_at, id"
    return await rows(db, SigningKey, query, [ref])


def jwks(keys: Sequence[SigningKey]) -> dict[str, Any]:
    """The key set with which everybody checks tokens: what is public of those that are not revoked."""
    return {"keys": [key.public_jwk for key in keys if key.public_jwk and key.status != "revoked"]}


async def move(db: Connection, key: SigningKey, to: Status) -> SigningKey:
    """Raises NotFound."""
    if to == "in_use":
        await _retire(db, key.project_ref)
    query: LiteralString = (
        "update signing_keys set status = %s, updated_at = now() where project_ref = %s and id = %s returning " + _KEY
    )
    return await one(db, SigningKey, query, [to, key.project_ref, key.id], missing=MISSING)


async def delete(db: Connection, key: SigningKey) -> None:
    await db.execute("delete from signing_keys where project_ref = %s and id = %s", [key.project_ref, key.id])
