"""What is counted over the whole installation: SQL on the tables of several slices."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from baseplane.database import Connection, rows, value
from baseplane.resources.metrics.project import FRESH
from baseplane.workflows.queue import STALLED

LATELY = timedelta(days=1)
"""How long ago a run may have failed to be counted."""


@dataclass(frozen=True, slots=True)
class Projects:
    """Of one status."""

    status: str
    count: int
    asleep: int
    read_only: int
    used: int


async def projects(db: Connection) -> list[Projects]:
    query: LiteralString = (
        "select status, count(*), count(*) filter (where asleep) as asleep,"
        " count(*) filter (where read_only) as read_only, coalesce(sum(used_bytes), 0)::bigint as used"
        " from projects left join disks using (ref) where status <> 'REMOVED' group by status"
    )
    return await rows(db, Projects, query)


@dataclass(frozen=True, slots=True)
class Runs:
    """Of one workflow, in one state; ``since`` is when the oldest was asked for."""

    workflow: str
    state: str
    count: int
    since: datetime | None


async def runs(db: Connection) -> list[Runs]:
    """Those that have not ended, and those that failed lately."""
    query: LiteralString = (
        "select workflow, state, count(*), min(created_at) as since from runs where finished_at is null"
        " group by workflow, state union all select workflow, state, count(*), min(created_at) from runs"
        " where state = 'failed' and finished_at > now() - %s group by workflow, state"
    )
    return await rows(db, Runs, query, [LATELY])


async def waiting_since(db: Connection) -> datetime | None:
    """Since when a run has waited for a worker; not for an earlier run of its subject."""
    query: LiteralString = (
        "select min(created_at) from runs r where state = 'queued' and finished_at is null and not exists ("
        " select from runs e where e.subject = r.subject and e.finished_at is null and e.created_at < r.created_at)"
    )
    found: datetime | None = await value(db, query)
    return found


async def workers(db: Connection) -> int:
    """Workers that have given a sign of life."""
    query: LiteralString = "select count(*) from procrastinate_workers where last_heartbeat > now() - %s"
    return int(await value(db, query, [timedelta(seconds=STALLED)]))


@dataclass(frozen=True, slots=True)
class Replicas:
    """Of one status."""

    status: str
    count: int
    bytes_behind: int | None
    seconds_behind: float | None


async def replicas(db: Connection) -> list[Replicas]:
    query: LiteralString = (
        "select r.status, count(*), max(bytes_behind) filter (where measured_at > now() - %(fresh)s) as bytes_behind,"
        " max(seconds_behind) filter (where measured_at > now() - %(fresh)s) as seconds_behind"
        " from replicas r join projects p using (ref) where p.status <> 'REMOVED' group by r.status"
    )
    return await rows(db, Replicas, query, {"fresh": FRESH})


async def troubled(db: Connection, most: int) -> list[tuple[str, str]]:
    """Refs, and what is wrong beside their archive: status, disk, or replica. At most so many of each."""
    query: LiteralString = (
        "(select ref, 'status' from projects where status in ('ACTIVE_UNHEALTHY', 'INIT_FAILED', 'PAUSE_FAILED',"
        " 'RESTORE_FAILED', 'UNKNOWN') order by id limit %(most)s)"
        " union all (select ref, 'disk' from projects where read_only and status <> 'REMOVED' order by id limit %(most)s)"
        " union all (select distinct ref, 'replica' from replicas r join projects p using (ref)"
        "  where p.status <> 'REMOVED' and r.status in ('ACTIVE_UNHEALTHY', 'INIT_READ_REPLICA_FAILED', 'UNKNOWN') order by ref limit %(most)s)"
    )
    return await (await db.execute(query, {"most": most})).fetchall()
