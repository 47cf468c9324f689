"""What is kept: enough to come back to any moment of the last days, and nothing of what is older or gone."""

import logging
from datetime import UTC, datetime, timedelta

from baseplane.database import Connection
from baseplane.drivers.archive import Stored
from baseplane.resources.backups import store
from baseplane.resources.backups.store import Backup
from baseplane.runtime import Runtime

log = logging.getLogger(__name__)


async def apply(rt: Runtime, keep: timedelta) -> None:
    """Raises ArchiveUnavailable."""
    await rt.archive.tidy()
    since = datetime.now(UTC) - keep
    async with rt.database.connection() as db:
        gone = await _refs(
            db, "select ref from projects where status = 'REMOVED' and ref in (select project_ref from archives)"
        )
        there = await _refs(db, "select distinct project_ref from archives")
    for ref in gone:
        await rt.archive.remove(ref)
        async with rt.database.connection() as db:
            await _forget_project(db, ref)
    for ref in set(there) - set(gone):
        for stored in await rt.archive.stored(ref):
            await _apply(rt, ref, stored, since)


async def _apply(rt: Runtime, ref: str, stored: Stored, since: datetime) -> None:
    async with rt.database.connection() as db:
        backups = await store.complete_backups(db, ref, stored.generation)
        ended = await _ended(db, ref, stored.generation)
        pending = await store.pending_backup(db, ref)
    if ended is not None and ended < since:
        await rt.archive.remove(ref, stored.generation)
        async with rt.database.transaction() as db:
            await store.remove_backups(db, [backup.id for backup in backups])
            await store.expire_points(db, ref, stored.generation, datetime.now(UTC))
            await db.execute(
                "delete from archives where project_ref = %s and generation = %s", [ref, stored.generation]
            )
        log.info("project %s cannot be brought back to before %s any more", ref, ended)
        return
    kept = needed(backups, since)
    names = {str(backup.id) for backup in kept} | ({str(pending.id)} if pending else set())
    before = min((backup.first_segment or "" for backup in kept), default=None)
    doomed = [name for name in stored.backups if name not in names]
    if doomed or (kept and kept[-1] is not backups[-1]):
        await rt.archive.forget(ref, stored.generation, backups=doomed, before=before)
        async with rt.database.transaction() as db:
            await store.remove_backups(db, [backup.id for backup in backups if backup not in kept])
            if kept and kept[-1].finished_at:
                await store.expire_points(db, ref, stored.generation, kept[-1].finished_at)


def needed(backups: list[Backup], since: datetime) -> list[Backup]:
    """Newest first: those from ``since`` on, the one that reaches to it, and what that is an increment of."""
    kept: list[Backup] = []
    reaches = False
    for backup in backups:
        kept.append(backup)
        reaches = reaches or (backup.finished_at is not None and backup.finished_at <= since)
        if reaches and backup.kind == "full":
            break
    return kept


async def _ended(db: Connection, ref: str, generation: str) -> datetime | None:
    cursor = await db.execute(
        "select ended_at from archives where project_ref = %s and generation = %s", [ref, generation]
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def _refs(db: Connection, query: str) -> list[str]:
    return [ref for (ref,) in await (await db.execute(query.encode())).fetchall()]


async def _forget_project(db: Connection, ref: str) -> None:
    async with db.transaction():
        await db.execute("update backups set status = 'REMOVED' where project_ref = %s", [ref])
        await db.execute("delete from archives where project_ref = %s", [ref])
