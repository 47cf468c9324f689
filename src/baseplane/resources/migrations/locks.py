"""Who waits for whom in a project's database: one migration at a time, and who holds what a migration waits for."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import psycopg

from baseplane.api.context import Context
from baseplane.drivers.cluster import Role
from baseplane.errors import BaseplaneError, Conflict
from baseplane.resources.projects.inside import Connection, inside
from baseplane.resources.projects.store import Project

KEY = 4_242_071_021
"""Of the advisory lock that a migration holds. Any number that others are unlikely to take."""
POLL = 0.05
"""Seconds between two tries. A migration that waited inside of Postgres would hold a snapshot, for which CREATE INDEX
CONCURRENTLY in the migration before it would wait in turn."""

_HOLDER = (
    b"select pid from pg_catalog.pg_locks where locktype = 'advisory' and granted"
    b" and (classid::bigint << 32) + objid::bigint = %s and objsubid = 1"
    b" and database = (select oid from pg_catalog.pg_database where datname = current_database())"
)
_BLOCKING = b"select unnest(pg_catalog.pg_blocking_pids(%s))"
_DESCRIBED = """
    select format('process %%s (%%s, role %%s, %%s for %%s s): %%s', pid, coalesce(nullif(application_name, ''), 'no name'),
      coalesce(usename, '?'), coalesce(state, '?'),
      round(extract(epoch from clock_timestamp() - state_change)), left(regexp_replace(query, '\\s+', ' ', 'g'), 200))
    from pg_catalog.pg_stat_activity where pid in ({}) limit 3
"""


async def take_turn(db: Connection, within: float) -> None:
    """Wait until no other migration runs in this database; the turn ends with the loan of the connection.

    Raises Conflict, which names who runs it, after ``within`` seconds.
    """
    patience = time.monotonic() + within
    while not await _try(db):
        if time.monotonic() > patience:
            holders = await _described(db, _HOLDER, KEY)
            raise Conflict(f"Another migration of this project has run for more than {within:g} s.{holders}")
        await asyncio.sleep(POLL)


async def _try(db: Connection) -> bool:
    cursor = await db.execute(b"select pg_catalog.pg_try_advisory_lock(%s)", [KEY])
    return bool((await cursor.fetchone() or [False])[0])


class Holders:
    """Who held, when last looked, what a migration waits for."""

    said = ""


@contextlib.asynccontextmanager
async def watching(holders: Holders, ctx: Context, project: Project, db: Connection) -> AsyncIterator[None]:
    """Look now and then whom ``db`` waits for; Postgres tells that only meanwhile."""
    task = asyncio.create_task(_watch(holders, ctx, project, db.info.backend_pid))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _watch(holders: Holders, ctx: Context, project: Project, pid: int) -> None:
    every = ctx.rt.settings.migration_lock_timeout / 3
    await asyncio.sleep(every)
    with contextlib.suppress(BaseplaneError, psycopg.Error):  # the migration runs on, its error is poorer by this
        async with inside(ctx, project, Role.OWNER) as db:
            while True:
                holders.said = await _described(db, _BLOCKING, pid)
                await asyncio.sleep(every)


async def _described(db: Connection, pids: bytes, parameter: int) -> str:
    cursor = await db.execute(_DESCRIBED.format(pids.decode()).encode(), [parameter])
    found = [line for (line,) in await cursor.fetchall()]
    if not found:
        return ""
    return f"\nHELD BY: {'; '.join(found)}\nHINT: Wait for it, or end it with select pg_terminate_backend(<process>)."
