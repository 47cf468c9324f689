"""Publishable and secret API keys of projects: they are made with one, and everybody who lets requests in reads them."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from baseplane.database import Connection, one, rows, value
from baseplane.database.secrets import Keyring, digest
from baseplane.errors import Conflict, Invalid
from baseplane.resources.projects import legacy_keys

Type = Literal["publishable", "secret"]
MISSING = "API key not found"
MOST = 100
"""Keys of one project."""
RANDOM = 16
"""Bytes of a key that cannot be guessed."""
SERVICE_ROLE: dict[str, Any] = {"role": "service_role"}
"""What a secret key puts into its JWT unless it is told otherwise."""
DEFAULTS: dict[Type, dict[str, Any] | None] = {"publishable": None, "secret": SERVICE_ROLE}
SHOWN = 5
"""Characters of it that its prefix shows."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """``token_claims`` of a secret key are put into the JWT that it becomes; a publishable one always becomes anon."""

    id: UUID
    project_ref: str
    type: Type
    name: str
    description: str | None
    prefix: str
    digest: bytes
    sealed: bytes
    token_claims: dict[str, Any] | None
    inserted_at: datetime
    updated_at: datetime

    def text(self, keyring: Keyring) -> str:
        """The key itself. Raises Unavailable."""
        return keyring.open(self.sealed, _purpose(self.id))


_KEY: LiteralString = (
    "id, project_ref, type, name, description, prefix, digest, sealed, token_claims, inserted_at, updated_at"
)


def _purpose(key_id: UUID) -> str:
    return f"api_keys.key:{key_id}"


def mint(type_: Type, ref: str) -> tuple[str, str]:
    """A new key, and the beginning of it that may be shown.

    It ends with a checksum over itself and the ref, by which a scanner tells a key from what looks like one.
    """
    random = secrets.token_urlsafe(RANDOM)
    key = f"sb_{type_}_{random}"
    check = base64.urlsafe_b64encode(hashlib.sha256(f"{ref}|{key}".encode()).digest())[:8].decode()
    return f"{key}_{check}", f"sb_{type_}_{random[:SHOWN]}"


async def insert(
    db: Connection,
    keyring: Keyring,
    ref: str,
    *,
    type_: Type,
    name: str,
    description: str | None,
    token_claims: dict[str, Any] | None,
) -> tuple[ApiKey, str]:
    """The new key and its text. Raises Conflict, Invalid."""
    await legacy_keys.lock(db, ref)
    if await value(db, "select count(*) from api_keys where project_ref = %s", [ref]) >= MOST:
        raise Invalid(f"The project has {MOST} API keys, the most there may be. Delete one that nobody uses.")
    text, prefix = mint(type_, ref)
    key_id = uuid4()
    sealed = keyring.seal(text, _purpose(key_id))
    claims = None if token_claims is None else Jsonb(token_claims)
    query: LiteralString = (
        "insert into api_keys (id, project_ref, type, name, description, prefix, digest, sealed, token_claims)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning " + _KEY
    )
    params = [key_id, ref, type_, name, description, prefix, digest(text), sealed, claims]
    try:
        return await one(db, ApiKey, query, params, missing=MISSING), text
    except psycopg.errors.UniqueViolation as error:
        raise _taken(type_, name) from error


async def insert_defaults(db: Connection, keyring: Keyring, ref: str) -> None:
    """The two keys that a new project has, as on the hosted platform; functions' own templates count on them."""
    for type_, claims in DEFAULTS.items():
        await insert(db, keyring, ref, type_=type_, name="default", description=None, token_claims=claims)


async def get(db: Connection, ref: str, key_id: UUID) -> ApiKey:
    """Raises NotFound."""
    query: LiteralString = "select " + _KEY + " from api_keys where project_ref = %s and id = %s"
    return await one(db, ApiKey, query, [ref, key_id], missing=MISSING)


async def list_of(db: Connection, ref: str) -> list[ApiKey]:
    query: LiteralString = "select " + _KEY + " from api_keys where project_ref = %s order by inserted_at, type, id"
    return await rows(db, ApiKey, query, [ref])


async def update(db: Connection, key: ApiKey) -> ApiKey:
    """Write the name, description and claims of ``key``. Raises NotFound, Conflict."""
    query: LiteralString = (
        "update api_keys set name = %s, description = %s, token_claims = %s, updated_at = now()"
        " where project_ref = %s and id = %s returning " + _KEY
    )
    claims = None if key.token_claims is None else Jsonb(key.token_claims)
    params = [key.name, key.description, claims, key.project_ref, key.id]
    try:
        return await one(db, ApiKey, query, params, missing=MISSING)
    except psycopg.errors.UniqueViolation as error:
        raise _taken(key.type, key.name) from error


def _taken(type_: Type, name: str) -> Conflict:
    return Conflict(f"name: the project has a {type_} key {name} already. Choose another name, or delete that key.")


async def delete(db: Connection, ref: str, key_id: UUID) -> ApiKey:
    """What was deleted. Raises NotFound."""
    query: LiteralString = "delete from api_keys where project_ref = %s and id = %s returning " + _KEY
    return await one(db, ApiKey, query, [ref, key_id], missing=MISSING)
