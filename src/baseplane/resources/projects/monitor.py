"""Holds what is against what should be, again and again: a status is true, or is being made true."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from baseplane.database import Connection, value
from baseplane.drivers.cluster import State
from baseplane.resources.projects import store, workflows
from baseplane.resources.projects.status import SERVING, Status
from baseplane.resources.projects.store import Project
from baseplane.runtime import Runtime
from baseplane.workflows import WORKFLOWS, journal, queue
from baseplane.workflows.watches import repeat

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
TRY_AGAIN = timedelta(seconds=30)
"""How long an unhealthy project is left alone after a restart that failed."""
STUCK = "Another version of Baseplane has begun something that this one does not know:"
"""How the cause of a project begins that waits for that version."""
LOCK = 0x6D6F_6E69
"""Advisory lock: one monitor looks at a time, however many workers there are."""


Others = Callable[[Connection], Awaitable[list[str]]]
"""The refs of projects that should serve though their status tells of something else."""


async def _none(_db: Connection) -> list[str]:
    return []


async def watch(rt: Runtime, others: Others = _none) -> None:
    """Look until cancelled."""
    await repeat(lambda: look(rt, others), EVERY, "looking after the clusters")


async def look(rt: Runtime, others: Others = _none) -> None:
    """Start a restart for every project that should serve and whose cluster does not run; tell of those that are stuck."""
    states = await rt.clusters.observe_all()
    async with rt.database.transaction() as db:
        if not await value(db, "select pg_try_advisory_xact_lock(%s)", [LOCK]):
            return
        stuck = await journal.unknown(db, WORKFLOWS)
        await store.tell(db, STUCK, {run.subject.rpartition(":")[2]: f"{STUCK} {run.workflow}." for run in stuck})
        further = [await store.get(db, ref) for ref in await others(db)]
        for project in [*await store.list_in(db, SERVING), *further]:
            if project.asleep and project.status == Status.ACTIVE_HEALTHY:
                continue
            down = states.get(project.ref, State.MISSING) != State.RUNNING
            if (down or project.status == Status.ACTIVE_UNHEALTHY) and await _is_due(db, project):
                log.warning(
                    "project %s should serve; its cluster is %s", project.ref, states.get(project.ref, "missing")
                )
                healthy = {Status.ACTIVE_HEALTHY}
                await store.settle(
                    db, project.ref, Status.RESTARTING, only_from=healthy, cause="Postgres was not running."
                )
                await queue.start(db, workflows.restart, project.ref)


async def _is_due(db: Connection, project: Project) -> bool:
    """Nothing is being done to it, and the last attempt is long enough ago."""
    if await journal.unfinished(db, project.ref):
        return False
    return project.status == Status.ACTIVE_HEALTHY or not await journal.ended_within(db, project.ref, TRY_AGAIN)
