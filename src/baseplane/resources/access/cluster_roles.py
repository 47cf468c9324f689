"""Temporary roles inside a project's cluster. Every function is given a connection of the cluster's superuser."""

import contextlib
from typing import Any

import psycopg
from psycopg import sql

from baseplane.drivers.cluster import Role
from baseplane.drivers.cluster.passwords import set_password
from baseplane.drivers.ingress.scram import matches
from baseplane.resources.access.temporary import NAME, TemporaryRole

Connection = psycopg.AsyncConnection[Any]

BOUNDS = "set local lock_timeout = '2s'; set local statement_timeout = '5s'"
"""The tenant may hold locks; nobody waits for him."""
ATTRIBUTES = "login noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls"
SET_OPTION = 160000
"""The version of Postgres from which memberships have options of their own."""


async def assumable(db: Connection) -> list[str]:
    """The roles that a temporary one may act as: what postgres can become, and the one that only reads."""
    mode = "SET" if db.info.server_version >= SET_OPTION else "MEMBER"
    cursor = await db.execute(
        "select rolname from pg_roles where not rolsuper and not rolreplication"
        " and (rolname = %s or pg_has_role('postgres', oid, %s)"
        " and rolname !~ '^(pg_|supabase_|baseplane_)' and rolname not in ('authenticator', 'dashboard_user', 'pgbouncer'))"
        " order by rolname",
        [Role.READER, mode],
    )
    return [name for (name,) in await cursor.fetchall() if not NAME.fullmatch(name)]


async def ensure(db: Connection, role: TemporaryRole, password: str) -> None:
    """Let it be there, log in with this password, act as its role, and have nothing else.

    Sessions begin as the role that it acts as. Without that it can do no more than become it.
    """
    if await _is_as_wanted(db, role, password):
        return
    name, acts_as = sql.Identifier(role.name), sql.Identifier(role.acts_as)
    until = "infinity" if role.expires_at is None else role.expires_at.isoformat()
    options = sql.SQL(" with inherit false, set true" if db.info.server_version >= SET_OPTION else "")
    async with db.transaction():
        await db.execute(BOUNDS)
        if not await _exists(db, role.name):
            await db.execute(sql.SQL("create role {}").format(name))
        await db.execute(
            sql.SQL("alter role {} {} valid until {}").format(name, sql.SQL(ATTRIBUTES), sql.Literal(until))
        )
        await set_password(db, role.name, password)
        await db.execute(sql.SQL("grant {} to {}{}").format(acts_as, name, options))
        for setting in (sql.SQL("role = {}").format(sql.Literal(role.acts_as)), *_settings(db, role)):
            await db.execute(sql.SQL("alter role {} set {}").format(name, setting))


def _settings(db: Connection, role: TemporaryRole) -> list[sql.SQL]:
    """What the role that it acts as has by its own settings, which hold for logins alone."""
    if role.acts_as == Role.READER:
        return [sql.SQL("default_transaction_read_only = on")]
    if role.acts_as == "postgres" and db.info.server_version >= SET_OPTION:
        return [sql.SQL("createrole_self_grant = 'set, inherit'")]
    return []


async def _is_as_wanted(db: Connection, role: TemporaryRole, password: str) -> bool:
    cursor = await db.execute(
        "select a.rolpassword from pg_authid a join pg_auth_members m on m.member = a.oid"
        " where a.rolname = %s and a.rolcanlogin and m.roleid = to_regrole(%s)"
        " and a.rolvaliduntil is not distinct from coalesce(%s::timestamptz, 'infinity')",
        [role.name, f'"{role.acts_as.replace(chr(34), chr(34) * 2)}"', role.expires_at],
    )
    found = await cursor.fetchone()
    return found is not None and found[0] is not None and matches(found[0], password)


async def _exists(db: Connection, name: str) -> bool:
    return await (await db.execute("select from pg_roles where rolname = %s", [name])).fetchone() is not None


async def disable(db: Connection, name: str) -> None:
    """End its sessions; nobody logs in with it again, and it can become nobody."""
    if not await _exists(db, name):
        return
    role = sql.Identifier(name)
    async with db.transaction():
        await db.execute(BOUNDS)
        await db.execute(sql.SQL("alter role {} nologin password null").format(role))
    await _end_sessions(db, name)
    cursor = await db.execute(
        "select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.roleid"
        " join pg_roles t on t.oid = m.member where t.rolname = %s",
        [name],
    )
    async with db.transaction():
        await db.execute(BOUNDS)
        for (held,) in await cursor.fetchall():
            await db.execute(sql.SQL("revoke {} from {} cascade").format(sql.Identifier(held), role))


async def drop(db: Connection, name: str) -> None:
    """What it owns becomes postgres', what it was granted goes. Raises psycopg.Error where the tenant is in the way."""
    if not await _exists(db, name):
        return
    role = sql.Identifier(name)
    async with db.transaction():
        await db.execute(BOUNDS)
        await db.execute(sql.SQL("reassign owned by {} to postgres").format(role))
        await db.execute(sql.SQL("drop owned by {}").format(role))
        await db.execute(sql.SQL("drop role {}").format(role))


async def drop_all(db: Connection) -> None:
    """In a copy of a database: those that the original has. One that stays has no login, and can become nobody."""
    cursor = await db.execute("select rolname from pg_roles where rolname ~ %s", [f"^{NAME.pattern}$"])
    for (name,) in await cursor.fetchall():
        await disable(db, name)
        with contextlib.suppress(psycopg.Error):
            await drop(db, name)


async def _end_sessions(db: Connection, name: str) -> None:
    """Whole when it returns, or after two seconds each."""
    await db.execute(
        "select pg_terminate_backend(s.pid, 2000) from pg_stat_activity s join pg_roles r on r.oid = s.usesysid"
        " where r.rolname = %s",
        [name],
    )
