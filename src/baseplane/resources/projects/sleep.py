"""Idle projects sleep, when the operator wants it: the cluster is stopped, and whoever comes next wakes it."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from baseplane.database import Connection, value
from baseplane.errors import Unavailable
from baseplane.resources.projects import workflows
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import Project
from baseplane.runtime import Runtime
from baseplane.workflows import journal, queue
from baseplane.workflows.watches import repeat

log = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two looks for projects that nobody uses."""
WAKE_WITHIN = timedelta(seconds=25)


async def mark_used(rt: Runtime, db: Connection, refs: Sequence[str]) -> None:
    """Keep these awake. Written seldom, so that it costs busy projects nothing."""
    fresh = _idle(rt) / 6
    await db.execute(
        "update projects set used_at = now() where ref = any(%s) and used_at < now() - %s::interval",
        [list(refs), fresh],
    )


def _idle(rt: Runtime) -> timedelta:
    return timedelta(minutes=rt.settings.sleep_after)


async def awaken(rt: Runtime, project: Project) -> None:
    """Return when the project's cluster runs, as far as sleep is concerned. Raises Unavailable, with the cause."""
    if rt.settings.sleep_after == 0 and not project.asleep:
        return
    async with rt.database.transaction() as db:
        await mark_used(
            rt, db, [project.ref]
        )  # from now on it does not fall asleep; if it just has, the next line sees it
        if not await value(db, "select asleep from projects where ref = %s", [project.ref]):
            return
        run_id = await queue.start(db, workflows.wake, project.ref, collapse=True)
    run = await queue.outcome(rt.database, run_id, WAKE_WITHIN)
    if run.state != "done":
        raise Unavailable(f"The project sleeps and could not be woken: {run.cause or 'it takes longer than usual'}")


async def watch(rt: Runtime) -> None:
    """Put idle projects to sleep until cancelled, if the operator wants that."""
    if rt.settings.sleep_after:
        await repeat(lambda: look(rt), EVERY, "looking for idle projects")


async def look(rt: Runtime) -> None:
    """Start putting to sleep every project that nobody has used for long enough."""
    async with rt.database.transaction() as db:
        idle = await db.execute(
            "select ref from projects p where status = %s and not asleep and used_at < now() - %s::interval"
            " and not exists (select from replicas r where r.ref = p.ref)",  # these follow it all the time
            [Status.ACTIVE_HEALTHY, _idle(rt)],
        )
        for (ref,) in await idle.fetchall():
            if not await journal.unfinished(db, ref):
                await queue.start(db, workflows.sleep, ref)
