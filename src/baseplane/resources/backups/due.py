"""What is due: first and daily backups, increments, drills."""

from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString

from baseplane.database import Connection, rows, value
from baseplane.resources.backups.schedules import SCHEDULED
from baseplane.settings import Settings

GB = 1024**3
TRY_AGAIN = timedelta(seconds=15)
"""How long a project is left alone after a backup that failed, doubled with each of the last hour."""
INCREMENTS_SINCE = 17
"""The first Postgres major that takes them."""
OWN_LOG = timedelta(seconds=90)
"""A backup closes a segment, which is carried away shortly afterwards: that is no change of the data."""

_AT: LiteralString = "coalesce(s.schedule_for, " + SCHEDULED + ")"


@dataclass(frozen=True, slots=True)
class Standing:
    """A project that runs, with no backup under way: the history that its newest backup is of, and whether its time of
    the day has passed since, with something written in between.
    """

    ref: str
    generation: str | None
    is_due: bool


async def standings(db: Connection) -> list[Standing]:
    """Those without a backup first."""
    query: LiteralString = (
        "with newest as (select distinct on (b.project_ref) b.project_ref, b.finished_at, b.generation, a.shipped_at"
        "  from backups b join archives a on a.project_ref = b.project_ref and a.generation = b.generation"
        "  where b.status = 'COMPLETED' and a.ended_at is null order by b.project_ref, b.id desc)"
        " select p.ref, n.generation, (n.shipped_at > n.finished_at + %(own)s and n.finished_at < (today.day + "
        + (_AT + " - case when today.now >= today.day + " + _AT + " then interval '0' else interval '1 day' end)")
        + "  at time zone 'UTC') is true as is_due"
        " from projects p left join newest n on n.project_ref = p.ref"
        " left join backup_schedules s on s.project_ref = p.ref,"
        " (select now() at time zone 'UTC' as now, (now() at time zone 'UTC')::date as day) today"
        " where p.status in ('ACTIVE_HEALTHY', 'ACTIVE_UNHEALTHY') and not p.asleep"
        " and not exists (select from backups b where b.project_ref = p.ref and b.status = 'PENDING')"
        " and not exists (select from backups b where b.project_ref = p.ref and b.status in ('FAILED', 'CANCELLED')"
        "   and b.finished_at > now() - interval '1 hour'"
        "   having max(b.finished_at) > now() - %(again)s * 2 ^ least(count(*), 6))"
        " order by n.finished_at nulls first, p.id"
    )
    return await rows(db, Standing, query, {"again": TRY_AGAIN, "own": OWN_LOG})


async def summaries(db: Connection, settings: Settings) -> list[str]:
    """Projects that have grown so large that increments pay."""
    cursor = await db.execute(
        "select p.ref from projects p join disks d using (ref) where not p.summarize_wal and p.engine >= %s"
        " and p.status = 'ACTIVE_HEALTHY' and not p.asleep and d.used_bytes >= %s",
        [INCREMENTS_SINCE, settings.backup_incremental_from * GB],
    )
    return [ref for (ref,) in await cursor.fetchall()]


async def drills(db: Connection, settings: Settings) -> list[tuple[str, int]]:
    """Projects and their newest backups, of those that have not been tried out for long enough, or never."""
    if not settings.backup_drill_every:
        return []
    cursor = await db.execute(
        "select p.ref, max(b.id) from projects p join backups b on b.project_ref = p.ref and b.status = 'COMPLETED'"
        " where p.status not in ('REMOVED', 'GOING_DOWN', 'RESTORING') and not exists (select from drills d"
        "   where d.project_ref = p.ref and (d.finished_at is null or d.started_at > now() - %s))"
        " group by p.ref order by max(b.id)",
        [timedelta(days=settings.backup_drill_every)],
    )
    return [(ref, backup_id) for ref, backup_id in await cursor.fetchall()]


async def is_any_unfinished(db: Connection, workflow: str, most: int) -> bool:
    """Whether so many runs of this workflow are under way already."""
    query: LiteralString = "select count(*) >= %s from runs where workflow = %s and finished_at is null"
    return bool(await value(db, query, [most, workflow]))
