"""Projects whose data directory is gone: each is brought back from its archive, to the latest moment that is in it."""

import asyncio
import logging
from typing import LiteralString

import psycopg

from baseplane.database import Connection, value
from baseplane.errors import BaseplaneError
from baseplane.resources.backups import due
from baseplane.resources.backups.recovering import recover
from baseplane.resources.projects import losses
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import Status
from baseplane.runtime import Runtime
from baseplane.workflows import queue

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
AT_ONCE = 3
"""Projects that are brought back at the same time; those that follow wait."""
LOCK = 0x6C6F_7374
"""Advisory lock: one worker looks at a time."""
NOTHING = (
    "There is no complete backup of it in the archive, so its data is lost with its directory. Delete the project."
)


async def watch(rt: Runtime) -> None:
    """Until cancelled; nothing where nothing is archived."""
    while rt.archive.is_on:
        try:
            await look(rt)
        except (BaseplaneError, psycopg.Error, OSError) as error:
            log.warning("looking for lost projects failed: %s", error)
        await asyncio.sleep(EVERY)


async def look(rt: Runtime) -> None:
    """Begin with the oldest that waits, while there are not too many under way."""
    async with rt.database.transaction() as db:
        if not await value(db, "select pg_try_advisory_xact_lock(%s)", [LOCK]):
            return
        for project in await losses.list_lost(db):
            if await due.is_any_unfinished(db, recover.name, AT_ONCE):
                return
            backup = await _newest_backup(db, project.ref)
            if backup is None:
                log.error("project %s cannot be brought back: %s", project.ref, NOTHING)
                await projects.settle(
                    db, project.ref, Status.RESTORE_FAILED, only_from={Status.RESTORING}, cause=NOTHING
                )
                continue
            log.info("project %s is brought back from backup %d", project.ref, backup)
            await _ask_for_latest(db, project.ref, backup)
            await queue.start(db, recover, project.ref)


async def _newest_backup(db: Connection, ref: str) -> int | None:
    """Of whatever generation: what came after it may have no backup yet."""
    query: LiteralString = (
        "select id from backups where project_ref = %s and status = 'COMPLETED' order by finished_at desc limit 1"
    )
    found: int | None = await value(db, query, [ref])
    return found


async def _ask_for_latest(db: Connection, ref: str, backup: int) -> None:
    """Cancelled, the project is as if it had been paused: restorable from its archive."""
    await db.execute(
        "insert into recoveries (project_ref, backup, status_before, latest) values (%s, %s, %s, true)",
        [ref, backup, Status.INACTIVE],
    )
