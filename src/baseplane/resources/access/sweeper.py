"""Takes expired roles out of the clusters: their sessions end, what they own becomes postgres'."""

import asyncio
import logging

import psycopg

from baseplane.drivers.cluster import Role
from baseplane.errors import BaseplaneError
from baseplane.resources.access import cluster_roles, temporary
from baseplane.resources.access.temporary import TemporaryRole
from baseplane.resources.doors.announcements import enforce
from baseplane.resources.projects import store
from baseplane.runtime import Runtime
from baseplane.workflows.watches import repeat

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
AT_ONCE = 4
"""Clusters that are swept at a time."""
WITHIN = 20.0
"""Seconds for one cluster, whatever its tenant does."""


async def watch(rt: Runtime) -> None:
    """Sweep until cancelled."""
    await repeat(lambda: look(rt), EVERY, "looking for expired roles")


async def look(rt: Runtime) -> None:
    """Sweep every cluster that runs and has expired roles."""
    async with rt.database.transaction() as db:
        await temporary.forget_removed(db)
        refs = await temporary.refs_with_expired(db)
    bound = asyncio.Semaphore(AT_ONCE)

    async def one(ref: str) -> None:
        async with bound:
            try:
                async with asyncio.timeout(WITHIN):
                    await sweep(rt, ref)
            except (BaseplaneError, psycopg.Error, OSError, TimeoutError) as error:
                log.warning("expired roles of project %s could not be swept: %s", ref, error or "too slow")

    await asyncio.gather(*map(one, refs))


async def sweep(rt: Runtime, ref: str) -> None:
    """End what has expired in this cluster, which must run. Raises Unavailable, psycopg.Error."""
    async with rt.database.connection() as db:
        roles = await temporary.expired(db, ref)
        secret = (await store.read_secrets(db, rt.keyring, ref)).secret if roles else ""
    if not roles:
        return
    await enforce(rt.database, ref)  # also clients of the pooler, who have no session of their own inside
    async with rt.clusters.connect(ref, Role.ADMIN, secret) as inside:
        for role in roles:
            await cluster_roles.disable(inside, role.name)
        for role in roles:
            await _drop(rt, inside, role)


async def _drop(rt: Runtime, inside: cluster_roles.Connection, role: TemporaryRole) -> None:
    try:
        await cluster_roles.drop(inside, role.name)
    except psycopg.Error as error:
        reason = error.diag.message_primary or error
        log.info("role %s stays, without a login, and is tried again: %s", role.name, reason)
        done = False
    else:
        done = role.swept_at is not None
    async with rt.database.connection() as db:
        await (temporary.delete(db, role.name) if done else temporary.put_off(db, role.name))
