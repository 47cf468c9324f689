"""At which time of the day projects are backed up: rows, and all SQL on their table."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import LiteralString

from baseplane.database import Connection, one


@dataclass(frozen=True, slots=True)
class Schedule:
    """At which time of the day, in UTC, a project is backed up."""

    schedule_for: time
    updated_at: datetime


SCHEDULED: LiteralString = "make_time(0, 0, 0) + make_interval(mins => abs(hashtext(p.ref)) %% 360)"
"""Unless somebody chose: in the first hours of the day, each project at another minute."""


async def get(db: Connection, ref: str) -> Schedule:
    """Raises NotFound."""
    query: LiteralString = (
        "select coalesce(s.schedule_for, " + SCHEDULED + ") as schedule_for,"
        " coalesce(s.updated_at, p.created_at) as updated_at"
        " from projects p left join backup_schedules s on s.project_ref = p.ref where p.ref = %s"
    )
    return await one(db, Schedule, query, [ref], missing="Project not found")


async def choose(db: Connection, ref: str, at: time) -> None:
    await db.execute(
        "insert into backup_schedules (project_ref, schedule_for) values (%s, %s)"
        " on conflict (project_ref) do update set schedule_for = excluded.schedule_for, updated_at = now()",
        [ref, at],
    )
