"""How the archives of all projects stand, for the operator."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from baseplane.database import Connection, rows
from baseplane.drivers.cluster.layout import PLATFORM
from baseplane.resources.backups import platform


@dataclass(frozen=True, slots=True)
class Report:
    """Of a project, or of the platform database, whose backups nothing tries out.

    ``behind_since``: since when finished log waits to be carried away. ``drill_passed`` is None before the first.
    """

    ref: str
    name: str
    behind_since: datetime | None
    error: str | None
    backed_up_at: datetime | None
    kind: str | None
    stored: int | None
    failure: str | None
    drilled_at: datetime | None
    drill_passed: bool | None
    drill_cause: str | None


async def report(db: Connection) -> list[Report]:
    """The platform's own archive first, if it has one."""
    return [*await _of_platform(db), *await _of_projects(db)]


async def _of_platform(db: Connection) -> list[Report]:
    found = await platform.get(db)
    if found is None:
        return []
    kind = "full" if found.backed_up_at else None
    name, newest = "the platform database", (found.backed_up_at, kind, found.stored)
    return [Report(PLATFORM, name, found.behind_since, found.error, *newest, found.failure, None, None, None)]


async def _of_projects(db: Connection) -> list[Report]:
    query: LiteralString = (
        "select p.ref, p.name, a.behind_since, a.error, b.finished_at as backed_up_at, b.kind,"
        " (select sum(stored)::bigint from backups s where s.project_ref = p.ref and s.status = 'COMPLETED') as stored,"
        " f.cause as failure, d.finished_at as drilled_at, d.passed as drill_passed, d.cause as drill_cause"
        " from projects p"
        " left join lateral (select * from archives where project_ref = p.ref and ended_at is null limit 1) a on true"
        " left join lateral (select * from backups where project_ref = p.ref and status = 'COMPLETED'"
        "   order by id desc limit 1) b on true"
        " left join lateral (select * from backups where project_ref = p.ref and status = 'FAILED'"
        "   and id > coalesce(b.id, 0) order by id desc limit 1) f on true"
        " left join lateral (select * from drills where project_ref = p.ref and finished_at is not null"
        "   order by id desc limit 1) d on true"
        " where p.status <> 'REMOVED' order by p.id"
    )
    return await rows(db, Report, query)
