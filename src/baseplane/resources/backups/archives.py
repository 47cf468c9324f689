"""How the archives of projects stand, and to which moments that lets them be brought back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString

from baseplane.database import Connection, rows, value
from baseplane.drivers.archive import Progress
from baseplane.settings import Settings

TOLD = 3
"""Spans of time that people are told of; a project that is restored often has many."""


async def open_generation(db: Connection, ref: str, generation: str) -> None:
    """The project's data has this one now; those before have ended."""
    await db.execute(
        "update archives set ended_at = now() where project_ref = %s and generation <> %s and ended_at is null",
        [ref, generation],
    )
    await db.execute(
        "insert into archives (project_ref, generation) values (%s, %s)"
        " on conflict (project_ref, generation) do update set ended_at = null",
        [ref, generation],
    )


async def record_complete(db: Connection, ref: str, generation: str, until: datetime) -> None:
    """Everything that was committed before ``until`` is in the archive."""
    await db.execute(
        "update archives set complete_until = greatest(complete_until, %s), shipped_at = now()"
        " where project_ref = %s and generation = %s",
        [until, ref, generation],
    )


async def record_look(db: Connection, found: Iterable[Progress]) -> None:
    """Write down what waits, and that nothing else does. Projects that are gone have nothing to wait for."""
    for progress in found:
        await db.execute(
            "insert into archives (project_ref, generation) select ref, %s from projects where ref = %s"
            " on conflict do nothing",
            [progress.generation, progress.ref],
        )
        await db.execute(
            "update archives set behind_since = %s, error = %s, complete_until = greatest(complete_until, %s),"
            " shipped_at = case when %s > 0 then now() else shipped_at end where project_ref = %s and generation = %s",
            [
                progress.oldest,
                progress.error,
                progress.complete_until,
                progress.shipped,
                progress.ref,
                progress.generation,
            ],
        )
    behind = [progress.generation for progress in found if progress.waiting]
    await db.execute(
        "update archives set behind_since = null, error = null"
        " where (behind_since is not null or error is not null) and generation <> all(%s)",
        [behind],
    )
    await db.execute(
        "insert into archive_looks (looked_at) values (now()) on conflict (only_one) do update set looked_at = now()"
    )


async def is_carried_away(db: Connection, ref: str, since: datetime) -> bool:
    """Whether a look after ``since`` found nothing of the project's log waiting."""
    query: LiteralString = (
        "select exists (select from archive_looks where looked_at > %s)"
        " and not exists (select from archives where project_ref = %s and behind_since is not null)"
    )
    return bool(await value(db, query, [since, ref]))


@dataclass(frozen=True, slots=True)
class Window:
    """Between these moments a project can be brought to any. ``is_current``: its data is of this generation."""

    generation: str
    earliest: datetime
    latest: datetime
    is_current: bool


async def windows(db: Connection, settings: Settings, ref: str) -> list[Window]:
    """Oldest first. While a cluster runs, what was committed within the RPO may not be in the archive yet."""
    query: LiteralString = (
        "select a.generation, min(b.finished_at) as earliest, a.ended_at is null as is_current,"
        " greatest(max(b.finished_at), a.complete_until, case"
        "   when a.ended_at is not null then least(a.ended_at, a.behind_since)"
        "   when p.lost then a.complete_until"
        "   when p.asleep or p.status = 'INACTIVE' then coalesce(a.behind_since, max(l.looked_at))"
        "   else coalesce(a.behind_since, max(l.looked_at)) - make_interval(secs => %s) end) as latest"
        " from archives a join projects p on p.ref = a.project_ref"
        " join backups b on b.project_ref = a.project_ref and b.generation = a.generation and b.status = 'COMPLETED'"
        " left join archive_looks l on true where a.project_ref = %s"
        " group by a.project_ref, a.generation, p.ref order by a.began_at"
    )
    return await rows(db, Window, query, [settings.archive_rpo, ref])


def containing(found: Sequence[Window], moment: datetime, *, runs: bool) -> Window | None:
    """The newest with this moment; that of a cluster which ``runs`` reaches to now, since its rest can be fetched."""
    for window in reversed(found):
        latest = datetime.now(UTC) if window.is_current and runs else window.latest
        if window.earliest <= moment <= latest:
            return window
    return None


def describe(found: Sequence[Window]) -> str:
    """For people."""
    if not found:
        return "There is no complete backup of this project yet."
    spans = [f"from {_text(window.earliest)} to {_text(window.latest)}" for window in found[-TOLD:]]
    earlier = f"; there are {len(found) - TOLD} earlier spans" if len(found) > TOLD else ""
    return f"The project can be brought back to any second {', and '.join(spans)}{earlier}."


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({int(moment.timestamp())})"
