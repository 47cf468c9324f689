"""Issuers whose tokens a project accepts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from baseplane.database import Connection, one, rows, value
from baseplane.errors import Invalid
from baseplane.resources.third_party_auth.discovery import Resolved

Type = Literal["oidc", "jwks", "custom"]
MISSING = "Third-party auth integration not found"
MOST = 20
"""Integrations of one project."""


@dataclass(frozen=True, slots=True)
class Integration:
    """``resolved_jwks`` are the keys that count; ``issuer`` is what the tokens of this one say in iss, if it is known."""

    id: UUID
    project_ref: str
    type: Type
    oidc_issuer_url: str | None
    jwks_url: str | None
    custom_jwks: dict[str, Any] | None
    issuer: str | None
    resolved_jwks: dict[str, Any]
    resolved_at: datetime
    inserted_at: datetime
    updated_at: datetime


_ROW: LiteralString = (
    "id, project_ref, type, oidc_issuer_url, jwks_url, custom_jwks, issuer, resolved_jwks, resolved_at,"
    " inserted_at, updated_at"
)


async def insert(
    db: Connection,
    ref: str,
    *,
    oidc_issuer_url: str | None,
    jwks_url: str | None,
    custom_jwks: dict[str, Any] | None,
    resolved: Resolved,
    fresh_for: timedelta,
) -> Integration:
    """The caller holds the project's lock. Raises Invalid."""
    if await value(db, "select count(*) from third_party_auth where project_ref = %s", [ref]) >= MOST:
        raise Invalid(f"The project has {MOST} third-party integrations, the most there may be. Delete one.")
    type_: Type = "oidc" if oidc_issuer_url is not None else "jwks" if jwks_url is not None else "custom"
    query: LiteralString = (
        "insert into third_party_auth"
        " (project_ref, type, oidc_issuer_url, jwks_url, custom_jwks, issuer, resolved_jwks, refresh_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, case %s when 'custom' then 'infinity' else now() + %s end) returning "
        + _ROW
    )
    given = None if custom_jwks is None else Jsonb(custom_jwks)
    keys = Jsonb(resolved.jwks)
    params = [ref, type_, oidc_issuer_url, jwks_url, given, resolved.issuer, keys, type_, fresh_for]
    return await one(db, Integration, query, params, missing=MISSING)


async def get(db: Connection, ref: str, tpa_id: UUID) -> Integration:
    """Raises NotFound."""
    query: LiteralString = "select " + _ROW + " from third_party_auth where project_ref = %s and id = %s"
    return await one(db, Integration, query, [ref, tpa_id], missing=MISSING)


async def list_of(db: Connection, ref: str) -> list[Integration]:
    query: LiteralString = "select " + _ROW + " from third_party_auth where project_ref = %s order by inserted_at, id"
    return await rows(db, Integration, query, [ref])


async def delete(db: Connection, ref: str, tpa_id: UUID) -> Integration:
    """What was deleted. Raises NotFound."""
    query: LiteralString = "delete from third_party_auth where project_ref = %s and id = %s returning " + _ROW
    return await one(db, Integration, query, [ref, tpa_id], missing=MISSING)


async def take_due(db: Connection, most: int, fresh_for: timedelta) -> list[Integration]:
    """Those whose keys are to be fetched again; no other worker takes them until they are due again."""
    query: LiteralString = (
        "update third_party_auth set refresh_at = now() + %s where id in (select id from third_party_auth"
        " where refresh_at < now() order by refresh_at limit %s for update skip locked) returning " + _ROW
    )
    return await rows(db, Integration, query, [fresh_for, most])


async def refresh(db: Connection, tpa_id: UUID, resolved: Resolved) -> None:
    """Write what was fetched. Unchanged keys are not written, so that nobody reads them anew."""
    await db.execute("update third_party_auth set resolved_at = now() where id = %s", [tpa_id])
    await db.execute(
        "update third_party_auth set resolved_jwks = %(keys)s, issuer = %(issuer)s, updated_at = now()"
        " where id = %(id)s and (resolved_jwks, issuer) is distinct from (%(keys)s, %(issuer)s)",
        {"keys": Jsonb(resolved.jwks), "issuer": resolved.issuer, "id": tpa_id},
    )
