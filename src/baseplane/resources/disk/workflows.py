"""Makes a project read-only when its disk is full, and writable again when it is not, or by its user's wish."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql

from baseplane.drivers.cluster import ClusterMissing, Role
from baseplane.errors import Unavailable
from baseplane.resources.disk import store
from baseplane.resources.projects import store as projects
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow

log = logging.getLogger(__name__)

enforce = Workflow("project.enforce_disk")
PARAMETER = "default_transaction_read_only"
CLOSE_WITHIN = 3.0  # seconds
EXEMPT = (Role.ADMIN, Role.READER)
"""Roles of the platform that have the parameter for good reasons of their own."""


@enforce.step(within=timedelta(seconds=30), final=(ClusterMissing,))
async def decide(rt: Runtime, ref: str) -> None:
    """As it should be at this moment; written down only when the cluster has taken it."""
    async with rt.database.transaction() as db:
        before = (await store.get(db, rt.settings, ref)).is_read_only
        wanted = await store.is_to_be_read_only(db, rt.settings, ref)
        await store.record_read_only(db, ref, is_read_only=wanted)
        await rt.clusters.configure(await projects.cluster_spec(db, rt.keyring, ref))
    if wanted != before:
        log.warning("project %s is %s", ref, "read-only: its disk is full" if wanted else "writable again")


async def close_ways_around(rt: Runtime, ref: str) -> None:
    """Take the parameter from the tenant's roles and databases, where it goes before the configuration file.

    For one session anybody may set it, which is how a full disk is cleaned up; it is not to be set for all to come.
    """
    async with rt.database.connection() as db:
        secret = (await projects.read_secrets(db, rt.keyring, ref)).secret
    try:
        async with asyncio.timeout(CLOSE_WITHIN), rt.clusters.connect(ref, Role.ADMIN, secret) as inside:
            await inside.execute("set lock_timeout = '200ms'")  # the tenant may hold on to what is reset
            for database, role in await _ways_around(inside):
                await inside.execute(_reset(database, role))
                log.warning("project %s is read-only; %s of %s is taken back", ref, PARAMETER, role or database)
    except (Unavailable, ClusterMissing, psycopg.Error, TimeoutError) as error:
        log.warning("the ways around being read-only of project %s could not be closed: %s", ref, error)


async def _ways_around(inside: psycopg.AsyncConnection[Any]) -> list[tuple[str | None, str | None]]:
    cursor = await inside.execute(
        "select d.datname, r.rolname from pg_db_role_setting s"
        " left join pg_database d on d.oid = s.setdatabase left join pg_roles r on r.oid = s.setrole"
        " where exists (select from unnest(s.setconfig) c where split_part(c, '=', 1) = %s)"
        " and (r.rolname is null or r.rolname <> all(%s)) limit 100",
        [PARAMETER, list(EXEMPT)],
    )
    return await cursor.fetchall()


def _reset(database: str | None, role: str | None) -> sql.Composed:
    reset = sql.SQL(" reset default_transaction_read_only")
    if role is None and database is not None:
        return sql.SQL("alter database {}").format(sql.Identifier(database)) + reset
    whose = sql.SQL("alter role {}").format(sql.Identifier(role) if role else sql.SQL("all"))
    where = sql.SQL(" in database {}").format(sql.Identifier(database)) if database else sql.SQL("")
    return whose + where + reset
