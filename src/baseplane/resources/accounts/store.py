"""Users and their access tokens, and tokens that read metrics. Of a token only the digest is kept."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import psycopg

from baseplane.api.caller import Caller
from baseplane.database import Connection, maybe, one, rows, value
from baseplane.database.secrets import digest
from baseplane.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class User:
    id: UUID
    email: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """``hint`` is the beginning of the token, enough to recognise it and too little to use it. One that reads metrics is
    nobody's: it has no ``email``.
    """

    id: UUID
    user_id: UUID | None
    email: str | None
    name: str
    hint: str
    kind: str
    permissions: list[str] | None
    expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class _Holder:
    user_id: UUID
    email: str
    name: str
    kind: str
    permissions: list[str] | None
    scopes: list[str] | None
    organizations: list[str] | None
    projects: list[str] | None
    expires_at: datetime | None


_USER = "id, email, name, created_at"
_TOKEN = "t.id, t.user_id, u.email, t.name, t.hint, t.kind, t.permissions, t.expires_at, t.created_at"


async def insert_user(db: Connection, email: str, name: str) -> User:
    """Raises Conflict."""
    try:
        return await one(
            db,
            User,
            f"insert into users (email, name) values (lower(%s), %s) returning {_USER}",
            [email, name],
            missing="",
        )
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(f"There is a user {email} already.") from error


async def get_user(db: Connection, email: str) -> User:
    """Raises NotFound."""
    return await one(
        db,
        User,
        f"select {_USER} from users where email = lower(%s)",
        [email],
        missing=f"There is no user {email}; `baseplane user list` shows those there are.",
    )


async def list_users(db: Connection) -> list[User]:
    return await rows(db, User, f"select {_USER} from users order by created_at")


async def delete_user(db: Connection, email: str) -> None:
    """Raises NotFound, and Conflict when an organization would be left without an owner."""
    user = await get_user(db, email)
    cursor = await db.execute(
        "select organization_slug from members m where user_id = %s and role = 'Owner' and not exists ("
        " select from members where organization_slug = m.organization_slug and role = 'Owner' and user_id <> %s)",
        [user.id, user.id],
    )
    if alone := [slug for (slug,) in await cursor.fetchall()]:
        raise Conflict(f"{email} is the only owner of {', '.join(alone)}: give it another owner first.")
    await db.execute("delete from users where id = %s", [user.id])


async def insert_token(
    db: Connection,
    user_id: UUID,
    name: str,
    *,
    permissions: Sequence[str] | None = None,
    organizations: Sequence[str] | None = None,
    projects: Sequence[str] | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Make a personal access token. Gives the token itself, which nobody can show again."""
    narrowed = any(narrow is not None for narrow in (permissions, organizations, projects))
    token = "sbp_" + ("fc" + secrets.token_hex(19) if narrowed else secrets.token_hex(20))
    await db.execute(
        "insert into access_tokens (user_id, digest, name, hint, kind, permissions, organizations, projects, expires_at)"
        " values (%s, %s, %s, %s, 'personal', %s, %s, %s, %s)",
        [user_id, digest(token), name, token[:10], *map(_array, (permissions, organizations, projects)), expires_at],
    )
    return token


async def insert_metrics_token(db: Connection, name: str, expires_at: datetime | None = None) -> str:
    """Make a token that reads the installation's metrics and is no caller of the API; gives it."""
    token = "bpm_" + secrets.token_hex(20)
    await db.execute(
        "insert into access_tokens (digest, name, hint, kind, expires_at) values (%s, %s, %s, 'metrics', %s)",
        [digest(token), name, token[:10], expires_at],
    )
    return token


async def reads_metrics(db: Connection, token_digest: bytes) -> bool:
    """Whether the token with this digest reads metrics."""
    query: LiteralString = (
        "select exists (select from access_tokens where digest = %s and kind = 'metrics'"
        " and (expires_at is null or expires_at > now()))"
    )
    return bool(await value(db, query, [token_digest]))


def _array(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)


async def list_tokens(db: Connection) -> list[Token]:
    return await rows(
        db, Token, f"select {_TOKEN} from access_tokens t left join users u on u.id = t.user_id order by t.created_at"
    )


async def delete_token(db: Connection, token_id: str) -> None:
    """Raises NotFound."""
    cursor = await db.execute("delete from access_tokens where id::text = %s", [token_id])
    if not cursor.rowcount:
        raise NotFound(f"There is no access token {token_id}; `baseplane token list` shows those there are.")


async def find_caller(db: Connection, token_digest: bytes) -> Caller | None:
    """Who holds the token with this digest."""
    found = await maybe(
        db,
        _Holder,
        "select t.user_id, u.email, u.name, t.kind, t.permissions, t.scopes, t.organizations, t.projects, t.expires_at"
        " from access_tokens t join users u on u.id = t.user_id where t.digest = %s",
        [token_digest],
    )
    if found is None:
        return None
    return Caller(
        user_id=str(found.user_id),
        email=found.email,
        name=found.name,
        kind=found.kind,
        permissions=_set(found.permissions),
        scopes=frozenset(found.scopes or ()),
        organizations=_set(found.organizations),
        projects=_set(found.projects),
        expires_at=found.expires_at,
    )


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
