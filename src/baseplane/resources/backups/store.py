"""Backups, restore points, restores and drills: rows, and all SQL on their tables."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

import psycopg

from baseplane.database import Connection, maybe, one, rows, value
from baseplane.drivers.archive import BackupId, BaseBackup, Recovered
from baseplane.errors import Conflict

BACKUP_MISSING = "There is no such backup, or it is not complete. GET …/database/backups lists them."


@dataclass(frozen=True, slots=True)
class Backup:
    """``cause`` says why it failed."""

    id: int
    project_ref: str
    generation: str
    kind: str
    status: str
    inserted_at: datetime
    finished_at: datetime | None
    first_segment: str | None
    size: int | None
    cause: str | None

    @property
    def key(self) -> BackupId:
        return BackupId(self.project_ref, self.generation, str(self.id))


_BACKUP: LiteralString = (
    "id, project_ref, generation, kind, status, inserted_at, finished_at, first_segment, size, cause"
)


async def ask_for_backup(db: Connection, ref: str, generation: str) -> bool:
    """Write down that one is wanted; tells whether none was already."""
    cursor = await db.execute(
        "insert into backups (project_ref, generation, kind) values (%s, %s, 'full') on conflict do nothing",
        [ref, generation],
    )
    return cursor.rowcount == 1


async def pending_backup(db: Connection, ref: str) -> Backup | None:
    query: LiteralString = f"select {_BACKUP} from backups where project_ref = %s and status = 'PENDING'"
    return await maybe(db, Backup, query, [ref])


async def list_backups(db: Connection, ref: str) -> list[Backup]:
    """Newest first, without those that were deleted."""
    query: LiteralString = (
        f"select {_BACKUP} from backups where project_ref = %s and status <> 'REMOVED' order by id desc"
    )
    return await rows(db, Backup, query, [ref])


async def complete_backups(db: Connection, ref: str, generation: str) -> list[Backup]:
    """Of one generation, newest first."""
    query: LiteralString = (
        f"select {_BACKUP} from backups where project_ref = %s and generation = %s and status = 'COMPLETED'"
        " order by id desc"
    )
    return await rows(db, Backup, query, [ref, generation])


async def get_backup(db: Connection, ref: str, backup_id: int) -> Backup:
    """One that can be brought back. Raises NotFound."""
    query: LiteralString = f"select {_BACKUP} from backups where project_ref = %s and id = %s and status = 'COMPLETED'"
    return await one(db, Backup, query, [ref, backup_id], missing=BACKUP_MISSING)


async def newest_backup(db: Connection, ref: str, generation: str, until: datetime) -> Backup | None:
    """The newest of this generation that was complete by then."""
    query: LiteralString = (
        f"select {_BACKUP} from backups where project_ref = %s and generation = %s and status = 'COMPLETED'"
        " and finished_at <= %s order by finished_at desc, id desc limit 1"
    )
    return await maybe(db, Backup, query, [ref, generation, until])


async def record_taken(db: Connection, backup: Backup, taken: BaseBackup, parent: int | None) -> None:
    """The root key of this moment is kept with it: it opens what is encrypted inside."""
    await db.execute(
        "update backups set kind = %s, parent = %s, finished_at = %s, first_segment = %s, size = %s, stored = %s,"
        " root_key = (select root_key from projects where ref = project_ref) where id = %s",
        [taken.kind, parent, taken.ended_at, taken.first_segment, taken.size, taken.stored, backup.id],
    )


async def complete(db: Connection, ref: str) -> None:
    await db.execute("update backups set status = 'COMPLETED' where project_ref = %s and status = 'PENDING'", [ref])


async def end_backup(db: Connection, ref: str, status: str, cause: str) -> None:
    await db.execute(
        "update backups set status = %s, cause = %s, finished_at = now() where project_ref = %s and status = 'PENDING'",
        [status, cause, ref],
    )


async def remove_backups(db: Connection, ids: list[int]) -> None:
    await db.execute("update backups set status = 'REMOVED' where id = any(%s)", [ids])


@dataclass(frozen=True, slots=True)
class RestorePoint:
    id: int
    project_ref: str
    name: str
    generation: str | None
    status: str
    completed_on: datetime | None


def point_label(point_id: int) -> str:
    """As the log has it: names may be used again."""
    return f"baseplane-{point_id}"


_POINT: LiteralString = "id, project_ref, name, generation, status, completed_on"


async def insert_point(db: Connection, ref: str, name: str) -> RestorePoint:
    """Raises Conflict."""
    query: LiteralString = f"insert into restore_points (project_ref, name) values (%s, %s) returning {_POINT}"
    try:
        return await one(db, RestorePoint, query, [ref, name], missing="")
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(f"There is a restore point {name!r} already. Choose another name.") from error


async def pending_points(db: Connection, ref: str) -> list[RestorePoint]:
    query: LiteralString = f"select {_POINT} from restore_points where project_ref = %s and status = 'PENDING'"
    return await rows(db, RestorePoint, query, [ref])


async def get_point(db: Connection, ref: str, name: str | None) -> RestorePoint:
    """The newest of this name, or of all. Raises NotFound."""
    query: LiteralString = (
        f"select {_POINT} from restore_points where project_ref = %(ref)s"
        " and (%(name)s::text is null or name = %(name)s) order by id desc limit 1"
    )
    missing = f"There is no restore point {name!r}." if name else "There is no restore point yet."
    return await one(db, RestorePoint, query, {"ref": ref, "name": name}, missing=missing)


async def complete_point(db: Connection, point_id: int, generation: str, at: datetime) -> None:
    await db.execute(
        "update restore_points set status = 'AVAILABLE', generation = %s, completed_on = %s where id = %s",
        [generation, at, point_id],
    )


async def fail_points(db: Connection, ref: str, cause: str) -> None:
    await db.execute(
        "update restore_points set status = 'FAILED', cause = %s where project_ref = %s and status = 'PENDING'",
        [cause, ref],
    )


async def expire_points(db: Connection, ref: str, generation: str, before: datetime) -> None:
    await db.execute(
        "update restore_points set status = 'REMOVED' where project_ref = %s and generation = %s and completed_on < %s",
        [ref, generation, before],
    )


@dataclass(frozen=True, slots=True)
class Recovery:
    """A restore: to ``moment``, to the restore point ``point``, to the ``latest`` there is, or to the backup as it is."""

    id: int
    project_ref: str
    backup: int
    moment: datetime | None
    point: int | None
    status_before: str
    asked_at: datetime
    latest: bool

    @property
    def label(self) -> str:
        return f"recovery-{self.id}"


_RECOVERY: LiteralString = "id, project_ref, backup, moment, point, status_before, asked_at, latest"


async def ask_for_recovery(
    db: Connection, ref: str, backup_id: int, status: str, *, moment: datetime | None = None, point: int | None = None
) -> None:
    await db.execute(
        "insert into recoveries (project_ref, backup, moment, point, status_before) values (%s, %s, %s, %s, %s)",
        [ref, backup_id, moment, point, status],
    )


async def asked_recovery(db: Connection, ref: str) -> Recovery:
    """Raises NotFound."""
    query: LiteralString = f"select {_RECOVERY} from recoveries where project_ref = %s and state = 'asked'"
    return await one(db, Recovery, query, [ref], missing="There is no restore under way.")


async def recovery_moment(db: Connection, recovery: Recovery) -> datetime:
    """At which the project was as it is brought back to."""
    query: LiteralString = (
        "select case when r.latest then now() else coalesce(r.moment, p.completed_on, b.finished_at) end from recoveries r join backups b on b.id = r.backup"
        " left join restore_points p on p.id = r.point where r.id = %s"
    )
    moment: datetime = await value(db, query, [recovery.id])
    return moment


async def record_recovered(db: Connection, recovery: Recovery, recovered: Recovered) -> None:
    await db.execute(
        "update recoveries set engine = %s, version = %s, last_commit = %s where id = %s",
        [recovered.engine, recovered.version, recovered.last_commit, recovery.id],
    )


async def adopt_engine(db: Connection, recovery: Recovery) -> None:
    """The project is of the major that it was then."""
    await db.execute(
        "update projects p set engine = r.engine, postgres_version = r.version from recoveries r"
        " where r.id = %s and p.ref = r.project_ref and r.engine is not null",
        [recovery.id],
    )


async def end_recovery(db: Connection, ref: str, state: str, cause: str | None, keep: timedelta | None = None) -> None:
    await db.execute(
        "update recoveries set state = %s, cause = %s, ended_at = now(), keep_until = now() + %s"
        " where project_ref = %s and state = 'asked'",
        [state, cause, keep, ref],
    )


async def outlived(db: Connection) -> list[Recovery]:
    """Those whose replaced data has been kept long enough."""
    query: LiteralString = f"select {_RECOVERY} from recoveries where keep_until < now()"
    return await rows(db, Recovery, query)


async def forget_replaced(db: Connection, recovery: Recovery) -> None:
    await db.execute("update recoveries set keep_until = null where id = %s", [recovery.id])


async def root_keys(db: Connection, ref: str) -> list[bytes]:
    """Sealed, of all backups that can be brought back."""
    cursor = await db.execute(
        "select distinct root_key from backups where project_ref = %s and status = 'COMPLETED'"
        " and root_key is not null",
        [ref],
    )
    return [key for (key,) in await cursor.fetchall()]


async def begin_drill(db: Connection, ref: str, backup_id: int) -> None:
    await db.execute("insert into drills (project_ref, backup) values (%s, %s)", [ref, backup_id])


async def drilled_backup(db: Connection, ref: str) -> Backup:
    """The one that is being tried out. Raises NotFound."""
    query: LiteralString = (
        f"select {_BACKUP} from backups where id = (select backup from drills"
        " where project_ref = %s and finished_at is null order by id desc limit 1)"
    )
    return await one(db, Backup, query, [ref], missing="There is no drill under way.")


async def end_drill(db: Connection, ref: str, cause: str | None) -> None:
    await db.execute(
        "update drills set finished_at = now(), passed = %s, cause = %s where project_ref = %s and finished_at is null",
        [cause is None, cause, ref],
    )
