"""Disks: how much each project may take and takes. An allowance, not a device: nothing is formatted or moved."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from baseplane.database import Connection, one, value
from baseplane.errors import Conflict
from baseplane.resources.projects.status import SERVING
from baseplane.resources.projects.store import MISSING
from baseplane.settings import Settings

GB = 1024**3
GP3_IOPS, GP3_THROUGHPUT = 3000, 125
"""What a gp3 disk has without asking for more (platform.md, section 14)."""
MAX_CHANGES, CHANGES_WITHIN = 4, timedelta(hours=24)
"""As on the hosted platform. For an allowance this bounds what growing on its own can add up to before people look."""
OVERRIDE = timedelta(minutes=15)
FULL = 0.95
"""Part of the disk from which on a project is read-only (platform.md, section 4)."""


@dataclass(frozen=True, slots=True)
class Disk:
    """``size_gb`` is what the project may take; type, IOPS and throughput are recorded and promise nothing."""

    ref: str
    type: str
    iops: int
    throughput_mibps: int | None
    size_gb: float
    changed_at: datetime | None
    used_bytes: int | None
    measured_at: datetime | None
    is_read_only: bool
    override_until: datetime | None
    is_overridden: bool

    @property
    def size_bytes(self) -> int:
        return int(self.size_gb * GB)


_FROM: LiteralString = " from projects p left join disks d using (ref)"
_SIZE: LiteralString = "coalesce(d.size_gb, %(default_size)s::float8)"
_OVERRIDDEN: LiteralString = "(d.override_until > now()) is true"
_IS_TO_BE_READ_ONLY: LiteralString = (
    "(coalesce(d.used_bytes, 0) >= %(full)s * %(gb)s * " + _SIZE + " and not " + _OVERRIDDEN + ")"
)


def _params(settings: Settings, **more: object) -> dict[str, Any]:
    return {"default_size": settings.disk_size, "full": FULL, "gb": GB, **more}


async def get(db: Connection, settings: Settings, ref: str) -> Disk:
    """Raises NotFound."""
    query: LiteralString = (
        "select ref, coalesce(d.type, 'gp3') as type, coalesce(d.iops, %(iops)s) as iops,"
        " case when d.type is null then %(throughput)s else d.throughput_mibps end as throughput_mibps,"
        + (_SIZE + " as size_gb, (select max(made_at) from disk_changes c where c.ref = p.ref) as changed_at,")
        + " d.used_bytes, d.measured_at, p.read_only as is_read_only, d.override_until,"
        + (_OVERRIDDEN + " as is_overridden" + _FROM + " where ref = %(ref)s")
    )
    params = _params(settings, ref=ref, iops=GP3_IOPS, throughput=GP3_THROUGHPUT)
    return await one(db, Disk, query, params, missing=MISSING)


async def is_to_be_read_only(db: Connection, settings: Settings, ref: str) -> bool:
    query: LiteralString = "select " + _IS_TO_BE_READ_ONLY + _FROM + " where ref = %(ref)s"
    return bool(await value(db, query, _params(settings, ref=ref)))


async def differing(db: Connection, settings: Settings) -> list[str]:
    """The projects that should be read-only and are not, or the other way round."""
    query: LiteralString = (
        "select ref" + _FROM + " where p.read_only <> " + _IS_TO_BE_READ_ONLY + " and p.status = any(%(serving)s)"
    )
    return await _refs(db, query, _params(settings, serving=[*SERVING]))


async def due(db: Connection) -> list[str]:
    """Projects whose disk is to be measured, the longest overdue first; what sleeps does not grow."""
    query: LiteralString = (
        "select ref" + _FROM + " where p.status = any(%(serving)s) and not p.asleep"
        " and (d.ref is null or d.due_at <= now()) order by d.due_at nulls first"
    )
    return await _refs(db, query, {"serving": [*SERVING]})


async def _refs(db: Connection, query: LiteralString, params: dict[str, Any]) -> list[str]:
    cursor = await db.execute(query, params)
    return [ref for (ref,) in await cursor.fetchall()]


async def record_use(db: Connection, ref: str, used: int) -> None:
    await db.execute(
        "insert into disks (ref, used_bytes, measured_at) values (%s, %s, now())"
        " on conflict (ref) do update set used_bytes = excluded.used_bytes, measured_at = excluded.measured_at",
        [ref, used],
    )


async def look_again(db: Connection, ref: str, after: timedelta) -> None:
    await db.execute("update disks set due_at = now() + %s where ref = %s", [after, ref])


async def override(db: Connection, ref: str) -> None:
    """Let the project be written to for a while, however full it is."""
    await db.execute(
        "insert into disks (ref, override_until) values (%(ref)s, now() + %(for)s)"
        " on conflict (ref) do update set override_until = excluded.override_until",
        {"ref": ref, "for": OVERRIDE},
    )


async def resize(db: Connection, ref: str, size_gb: float, by: str) -> None:
    """Raises Conflict when there were too many changes lately."""
    await db.execute("select from projects where ref = %s for no key update", [ref])
    cursor = await db.execute(
        "select made_at + %(within)s from disk_changes where ref = %(ref)s and made_at > now() - %(within)s"
        " order by made_at desc limit %(most)s",
        {"ref": ref, "within": CHANGES_WITHIN, "most": MAX_CHANGES},
    )
    lately = await cursor.fetchall()
    if len(lately) == MAX_CHANGES:
        raise Conflict(
            f"The disk has been changed {MAX_CHANGES} times in the last 24 hours, the most that is allowed."
            f" The next change is possible at {lately[-1][0].isoformat()}."
        )
    await db.execute("insert into disk_changes (ref, made_by, size_gb) values (%s, %s, %s)", [ref, by, size_gb])
    await db.execute(
        "insert into disks (ref, size_gb) values (%s, %s) on conflict (ref) do update set size_gb = excluded.size_gb",
        [ref, size_gb],
    )


async def set_attributes(db: Connection, ref: str, kind: str, iops: int, throughput: int | None) -> None:
    await db.execute(
        "update disks set type = %s, iops = %s, throughput_mibps = %s where ref = %s", [kind, iops, throughput, ref]
    )


async def inherit(db: Connection, ref: str, source: str) -> None:
    """Let a new project have as large a disk as ``source``."""
    await db.execute(
        "insert into disks (ref, type, iops, throughput_mibps, size_gb)"
        " select %s, type, iops, throughput_mibps, size_gb from disks where ref = %s",
        [ref, source],
    )


async def record_read_only(db: Connection, ref: str, *, is_read_only: bool) -> None:
    await db.execute("update projects set read_only = %s where ref = %s", [is_read_only, ref])
