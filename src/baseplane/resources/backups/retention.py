"""What is kept: enough to come back to any moment of the last days, and nothing of what is older or gone.

A bucket wants money for each time that it says what it holds. So the platform database tells what is due to be deleted, and
an archive is read only once a day, each at its own second of it, for what backups that broke off may have left there.
While another project is made from an archive, nothing of that is deleted.
"""

import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import LiteralString

from baseplane.database import Connection
from baseplane.resources.backups import clones, functions, store
from baseplane.resources.backups.store import Backup
from baseplane.runtime import Runtime

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
"""Longer than a backup may take to be complete."""


async def apply(rt: Runtime, keep: timedelta) -> None:
    """Delete what is older than it has to be kept. Raises ArchiveUnavailable."""
    await rt.archive.tidy()
    since = datetime.now(UTC) - keep
    async with rt.database.connection() as db:
        gone = await _gone(db)
        outlived = await _outlived(db, since)
        served = await reaching_back(db)
    for ref in gone:
        async with rt.database.connection() as db:
            if await clones.are_under_way(db, ref):
                continue
        await rt.archive.remove(ref)
        async with rt.database.connection() as db:
            await _forget_project(db, ref)
    for ref, generation in outlived:
        await _apply(rt, ref, generation, (), since)
    for ref, earliest in served.items():
        await functions.forget(rt, ref, earliest)


async def reaching_back(db: Connection) -> dict[str, datetime]:
    """The earliest moment that each project which had functions may still be brought back to.

    A backup that is being taken may come to reach back as far as its step may take. What a restore under way goes back
    to is left alone.
    """
    cursor = await db.execute(
        "select project_ref, least(now() - %s, (select min(finished_at) from backups b"
        "  where b.project_ref = h.project_ref and status = 'COMPLETED'))"
        " from (select distinct project_ref from function_history) h join projects on ref = project_ref"
        " where status <> 'REMOVED' and not exists"
        "  (select from recoveries r where r.project_ref = h.project_ref and state = 'asked')",
        [DAY],
    )
    return dict(await cursor.fetchall())


async def reconcile(rt: Runtime, keep: timedelta, begin: datetime, end: datetime) -> None:
    """Also delete what nobody knows of, in the archives whose second of the day is between these moments.

    Raises ArchiveUnavailable.
    """
    async with rt.database.connection() as db:
        refs = await _of_the_day(db, begin, end)
    for ref in refs:
        for stored in await rt.archive.stored(ref):
            await _apply(rt, ref, stored.generation, stored.backups, datetime.now(UTC) - keep)


async def _apply(rt: Runtime, ref: str, generation: str, found: Collection[str], since: datetime) -> None:
    """``found`` names backups that lie in the archive, beside those that are known."""
    async with rt.database.connection() as db:
        if await clones.are_under_way(db, ref):
            return
        backups = await store.complete_backups(db, ref, generation)
        ended = await _ended(db, ref, generation)
        pending = await store.pending_backup(db, ref)
    if ended is not None and ended < since:
        await rt.archive.remove(ref, generation)
        async with rt.database.transaction() as db:
            await store.remove_backups(db, [backup.id for backup in backups])
            await store.expire_points(db, ref, generation, datetime.now(UTC))
            await db.execute("delete from archives where project_ref = %s and generation = %s", [ref, generation])
        log.info("project %s cannot be brought back to before %s any more", ref, ended)
        return
    kept = needed(backups, since)
    names = {str(backup.id) for backup in kept} | ({str(pending.id)} if pending else set())
    before = min((backup.first_segment or "" for backup in kept), default=None)
    doomed = sorted({*found, *(str(backup.id) for backup in backups)} - names)
    if doomed:
        await rt.archive.forget(ref, generation, backups=doomed, before=before)
        async with rt.database.transaction() as db:
            await store.remove_backups(db, [backup.id for backup in backups if backup not in kept])
            if kept and kept[-1].finished_at:
                await store.expire_points(db, ref, generation, kept[-1].finished_at)


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


async def _gone(db: Connection) -> list[str]:
    """Projects that were deleted and whose archive is still there."""
    cursor = await db.execute(
        "select ref from projects where status = 'REMOVED'"
        " and ref in (select project_ref from archives union select project_ref from function_history)"
    )
    return [ref for (ref,) in await cursor.fetchall()]


async def _outlived(db: Connection, since: datetime) -> list[tuple[str, str]]:
    """Projects and generations that have ended before, or that another backup reaches to it as well."""
    query: LiteralString = (
        "select a.project_ref, a.generation from archives a where a.ended_at < %(since)s or (select count(*) > 1"
        " from backups b where b.project_ref = a.project_ref and b.generation = a.generation"
        " and b.status = 'COMPLETED' and b.finished_at <= %(since)s) order by a.began_at"
    )
    return [(ref, generation) for ref, generation in await (await db.execute(query, {"since": since})).fetchall()]


async def _of_the_day(db: Connection, begin: datetime, end: datetime) -> list[str]:
    """Projects with an archive whose second of the day is past ``begin``, and not past ``end``."""
    query: LiteralString = (
        "select distinct project_ref from archives where"
        " (((hashtext(project_ref)::bigint - %(begin)s) %% %(day)s) + %(day)s) %% %(day)s < %(seconds)s"
    )
    whole = int(begin.timestamp())
    given = {"begin": whole, "seconds": int(end.timestamp()) - whole, "day": int(DAY.total_seconds())}
    return [ref for (ref,) in await (await db.execute(query, given)).fetchall()]


async def _forget_project(db: Connection, ref: str) -> None:
    async with db.transaction():
        await db.execute("update backups set status = 'REMOVED' where project_ref = %s", [ref])
        await db.execute("delete from archives where project_ref = %s", [ref])
        await db.execute("delete from function_history where project_ref = %s", [ref])
