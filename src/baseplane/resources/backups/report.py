"""How the archives of all projects stand, for the operator."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from baseplane.database import Connection, rows


@dataclass(frozen=True, slots=True)
class Report:
    """``behind_since``: since when finished log waits to be carried away. ``drill_passed`` is None before the first."""

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
    files_kept: int
    files_waiting: int
    files_error: str | None


async def report(db: Connection) -> list[Report]:
    query: LiteralString = (
        "select p.ref, p.name, a.behind_since, a.error, b.finished_at as backed_up_at, b.kind,"
        " (select sum(stored)::bigint from backups s where s.project_ref = p.ref and s.status = 'COMPLETED') as stored,"
        " l.cause as failure, d.finished_at as drilled_at, d.passed as drill_passed, d.cause as drill_cause,"
        " f.kept as files_kept, f.waiting as files_waiting, f.error as files_error"
        " from projects p"
        " cross join lateral (select count(distinct digest) filter (where archived) as kept,"
        "   count(distinct digest) filter (where not archived and exists (select from archive_looks)) as waiting, max(error) as error"
        "   from function_history where project_ref = p.ref) f"
        " left join lateral (select * from archives where project_ref = p.ref and ended_at is null limit 1) a on true"
        " left join lateral (select * from backups where project_ref = p.ref and status = 'COMPLETED'"
        "   order by id desc limit 1) b on true"
        " left join lateral (select * from backups where project_ref = p.ref and status = 'FAILED'"
        "   and id > coalesce(b.id, 0) order by id desc limit 1) l on true"
        " left join lateral (select * from drills where project_ref = p.ref and finished_at is not null"
        "   order by id desc limit 1) d on true"
        " where p.status <> 'REMOVED' order by p.id"
    )
    return await rows(db, Report, query)
