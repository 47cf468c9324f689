"""How the archives of projects stand, for the operator: one by one, and in sum."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString

from baseplane.database import Connection, one, rows
from baseplane.drivers.cluster.layout import PLATFORM
from baseplane.resources.backups import platform
from baseplane.settings import Settings


@dataclass(frozen=True, slots=True)
class Report:
    """Of a project, or of the platform database, whose backups nothing tries out.

    ``behind_since``: since when finished log waits to be carried away; everything committed before
    ``complete_until`` is in the archive. ``kind`` and ``size`` are the newest backup's, ``stored`` are the bytes that all
    take in the archive, ``failure`` is the cause of one that failed since. ``drill_passed`` is None before the first.

    ``problems`` names what is wrong: archive (an error, or further behind than BASEPLANE_ARCHIVE_RPO), backup, drill,
    files.
    """

    ref: str
    name: str
    behind_since: datetime | None
    complete_until: datetime | None
    error: str | None
    backed_up_at: datetime | None
    kind: str | None
    size: int | None
    stored: int | None
    failure: str | None
    drilled_at: datetime | None
    drill_passed: bool | None
    drill_cause: str | None
    files_kept: int
    files_waiting: int
    files_error: str | None
    problems: list[str]


_REPORTS: LiteralString = (
    "select p.id, p.ref, p.name, p.status, a.behind_since, a.complete_until, a.error, b.finished_at as backed_up_at,"
    " b.kind, b.size, s.stored, f.cause as failure, d.finished_at as drilled_at, d.passed as drill_passed,"
    " d.cause as drill_cause, h.kept as files_kept, h.waiting as files_waiting, h.error as files_error, array_remove(array["
    "   case when a.error is not null or a.behind_since < now() - make_interval(secs => %(rpo)s) then 'archive' end,"
    "   case when f.id is not null then 'backup' end, case when not d.passed then 'drill' end,"
    "   case when h.error is not null then 'files' end], null) as problems"
    " from projects p"
    " left join lateral (select * from archives where project_ref = p.ref and ended_at is null limit 1) a on true"
    " left join lateral (select * from backups where project_ref = p.ref and status = 'COMPLETED'"
    "   order by id desc limit 1) b on true"
    " left join lateral (select sum(stored)::bigint as stored from backups"
    "   where project_ref = p.ref and status = 'COMPLETED') s on true"
    " left join lateral (select * from backups where project_ref = p.ref and status = 'FAILED'"
    "   and id > coalesce(b.id, 0) order by id desc limit 1) f on true"
    " left join lateral (select * from drills where project_ref = p.ref and finished_at is not null"
    "   order by id desc limit 1) d on true"
    " cross join lateral (select count(distinct digest) filter (where archived) as kept,"
    "   count(distinct digest) filter (where not archived and exists (select from archive_looks)) as waiting,"
    "   max(error) as error from function_history where project_ref = p.ref) h"
    " where p.status <> 'REMOVED'"
)
_REPORT: LiteralString = (
    "select ref, name, behind_since, complete_until, error, backed_up_at, kind, size, stored, failure, drilled_at,"
    " drill_passed, drill_cause, files_kept, files_waiting, files_error, problems from (" + _REPORTS
)


async def report(db: Connection, settings: Settings, ref: str | None = None) -> list[Report]:
    """Of all projects, or of one."""
    query: LiteralString = _REPORT + (" and p.ref = %(ref)s" if ref else "") + ") r order by id"
    return await rows(db, Report, query, {"rpo": settings.archive_rpo, "ref": ref})


async def of_platform(db: Connection, settings: Settings) -> Report | None:
    """None where it is the operator's to keep."""
    found = await platform.get(db)
    if found is None:
        return None
    late = found.behind_since and datetime.now(UTC) - found.behind_since > timedelta(seconds=settings.archive_rpo)
    wrong = {"archive": found.error or late, "backup": found.failure}
    return Report(
        ref=PLATFORM,
        name="the platform database",
        behind_since=found.behind_since,
        complete_until=None,
        error=found.error,
        backed_up_at=found.backed_up_at,
        kind="full" if found.backed_up_at else None,
        size=None,
        stored=found.stored,
        failure=found.failure,
        drilled_at=None,
        drill_passed=None,
        drill_cause=None,
        files_kept=0,
        files_waiting=0,
        files_error=None,
        problems=[problem for problem, is_there in wrong.items() if is_there],
    )


async def report_all(db: Connection, settings: Settings) -> list[Report]:
    """The platform's own archive first, if it has one."""
    own = await of_platform(db, settings)
    return [*([own] if own else []), *await report(db, settings)]


@dataclass(frozen=True, slots=True)
class Summary:
    """Of all projects: counts of them; ``behind_since``, ``backed_up_at`` and ``drilled_at`` are the earliest of any
    project. ``not_backed_up`` are those that serve without any backup. ``wrong`` has pairs of a ref and a problem, not all
    if there are many.
    """

    behind: int
    behind_since: datetime | None
    errors: int
    not_backed_up: int
    failures: int
    backed_up_at: datetime | None
    stored: int
    drills_passed: int
    drills_failed: int
    drilled_at: datetime | None
    looked_at: datetime | None
    wrong: list[list[str]]


async def summarize(db: Connection, settings: Settings, most: int) -> Summary:
    """``most`` is how many are told as ``wrong``."""
    query: LiteralString = (
        "with r as materialized ("
        + _REPORTS
        + ") select count(*) filter (where 'archive' = any(problems)) as behind, min(behind_since) as behind_since,"
        " count(error) as errors, count(*) filter (where status in ('ACTIVE_HEALTHY', 'ACTIVE_UNHEALTHY')"
        "   and backed_up_at is null) as not_backed_up, count(failure) as failures, min(backed_up_at) as backed_up_at,"
        " coalesce(sum(stored), 0)::bigint as stored, count(*) filter (where drill_passed) as drills_passed,"
        " count(*) filter (where not drill_passed) as drills_failed, min(drilled_at) as drilled_at,"
        " (select looked_at from archive_looks) as looked_at, (select coalesce(jsonb_agg(jsonb_build_array(ref, problem)),"
        "   '[]') from (select ref, problem from r, unnest(problems) as problem order by id limit %(most)s) w) as wrong"
        " from r"
    )
    return await one(db, Summary, query, {"rpo": settings.archive_rpo, "most": most}, missing="")
