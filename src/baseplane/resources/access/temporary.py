"""Rows of the roles that are in a project's cluster for a while."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from baseplane.database import Connection, maybe, rows, value
from baseplane.database.secrets import Keyring

FOR_CLI = "cli_login_"
"""What the official CLI wants its role's name to begin with (clients.md, section 3)."""
FOR_TOKENS = "jit_"
NAME = re.compile(rf"({FOR_CLI}|{FOR_TOKENS})[0-9a-f]{{16}}")
"""Names are random, so that no role of the tenant's own can have one that the platform is about to use."""
TRY_AGAIN = timedelta(hours=1)
"""Between the two sweeps of a role: a login that was under way may have made it again, a tenant may have kept it."""


@dataclass(frozen=True, slots=True)
class TemporaryRole:
    """``acts_as`` is the role that its sessions become. One that does not expire has no ``expires_at``."""

    name: str
    ref: str
    acts_as: str
    secret: bytes | None
    expires_at: datetime | None
    swept_at: datetime | None = None

    def password(self, keyring: Keyring) -> str:
        """Of a role as which the ingress logs in. Raises Unavailable."""
        return keyring.open(self.secret or b"", _purpose(self.name))


_COLUMNS: LiteralString = "name, ref, acts_as, secret, expires_at, swept_at"


def _purpose(name: str) -> str:
    return f"temporary_roles.secret:{name}"


async def insert_for_cli(db: Connection, ref: str, acts_as: str, ttl: timedelta) -> TemporaryRole:
    expires_at = await value(db, "select now() + %s::interval", [ttl])
    return await _insert(db, TemporaryRole(FOR_CLI + secrets.token_hex(8), ref, acts_as, None, expires_at))


async def insert_for_tokens(
    db: Connection, keyring: Keyring, ref: str, acts_as: str, expires_at: datetime | None
) -> TemporaryRole:
    """With a password of its own, which nobody is shown."""
    name = FOR_TOKENS + secrets.token_hex(8)
    secret = keyring.seal(secrets.token_urlsafe(32), _purpose(name))
    return await _insert(db, TemporaryRole(name, ref, acts_as, secret, expires_at))


async def _insert(db: Connection, role: TemporaryRole) -> TemporaryRole:
    await db.execute(
        "insert into temporary_roles (name, ref, acts_as, secret, expires_at) values (%s, %s, %s, %s, %s)",
        [role.name, role.ref, role.acts_as, role.secret, role.expires_at],
    )
    return role


async def get(db: Connection, name: str) -> TemporaryRole | None:
    return await maybe(db, TemporaryRole, "select " + _COLUMNS + " from temporary_roles where name = %s", [name])


async def is_alive(db: Connection, ref: str, name: str) -> bool:
    found = "select exists (select from temporary_roles where name = %s and ref = %s and expires_at > now())"
    return bool(await value(db, found, [name, ref]))


async def prolong(db: Connection, name: str | None, expires_at: datetime | None) -> bool:
    """Move the end of a role that has not expired; tells whether there is such a role."""
    cursor = await db.execute(
        "update temporary_roles set expires_at = %s where name = %s and (expires_at is null or expires_at > now())",
        [expires_at, name],
    )
    return cursor.rowcount == 1


async def expire_those_for_cli(db: Connection, ref: str) -> None:
    await db.execute(
        "update temporary_roles set expires_at = now() where ref = %s and secret is null and expires_at > now()", [ref]
    )


async def expired(db: Connection, ref: str) -> list[TemporaryRole]:
    query = "select " + _COLUMNS + " from temporary_roles where ref = %s and " + _DUE + " order by expires_at"
    return await rows(db, TemporaryRole, query, [ref, TRY_AGAIN])


async def refs_with_expired(db: Connection) -> list[str]:
    """Projects whose cluster runs and has roles to be dropped. Sleeping ones wait: their roles cannot log in anyway."""
    cursor = await db.execute(
        "select distinct ref from temporary_roles join projects using (ref)"
        " where status in ('ACTIVE_HEALTHY', 'ACTIVE_UNHEALTHY') and not asleep and " + _DUE,
        [TRY_AGAIN],
    )
    return [ref for (ref,) in await cursor.fetchall()]


_DUE: LiteralString = "expires_at <= now() and (swept_at is null or swept_at < now() - %s::interval)"


async def delete(db: Connection, name: str) -> None:
    await db.execute("delete from temporary_roles where name = %s", [name])


async def put_off(db: Connection, name: str) -> None:
    await db.execute("update temporary_roles set swept_at = now() where name = %s", [name])


async def forget_removed(db: Connection) -> None:
    """The clusters of removed projects are gone, and their roles with them."""
    gone = "ref in (select ref from projects where status = 'REMOVED')"
    await db.execute("delete from token_grants where " + gone)
    await db.execute("delete from temporary_roles where " + gone)
