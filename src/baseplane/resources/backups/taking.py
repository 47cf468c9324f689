"""Taking backups, marking restore points, and trying backups out.

These run beside what else is done to a project: a large backup must not keep it from being paused or woken. So each has
a subject of its own, ``backup:<ref>``, and finds a cluster that stops under it.

A backup is complete when what else the project has is in the archive, too: its functions (``functions``). The files of
storage buckets will have a step beside theirs.
"""

import logging
from datetime import timedelta

from baseplane.database import Connection
from baseplane.drivers.archive import ArchiveUnavailable, BackupDamaged, BackupFailed, BaseBackup, RecoveryFailed
from baseplane.drivers.cluster import ClusterMissing, ClusterSpec
from baseplane.errors import BaseplaneError, NotFound
from baseplane.resources.backups import archives, functions, store
from baseplane.resources.backups.store import Backup
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import SERVING
from baseplane.runtime import Runtime
from baseplane.workflows import Outcome, Wait, Workflow

log = logging.getLogger(__name__)

TAKE_WITHIN = timedelta(hours=12)
HOPELESS = (ArchiveUnavailable, BackupFailed, BackupDamaged, ClusterMissing, NotFound)


class NotNow(BaseplaneError):
    """The project's cluster is not meant to run at this moment."""


def subject(kind: str, ref: str) -> str:
    """What a run is about that goes beside the project's own."""
    return f"{kind}:{ref}"


def _ref(name: str) -> str:
    return name.partition(":")[2]


def _backup_ends_as(status: str) -> Outcome:
    async def write(db: Connection, name: str, cause: str) -> None:
        log.warning("the backup of project %s is %s: %s", _ref(name), status, cause)
        await store.end_backup(db, _ref(name), status, cause)

    return write


take = Workflow("backup.take", failed=_backup_ends_as("FAILED"), cancelled=_backup_ends_as("CANCELLED"))


@take.step(within=TAKE_WITHIN, final=(*HOPELESS, NotNow))
async def take_base(rt: Runtime, name: str) -> None:
    ref = _ref(name)
    async with rt.database.connection() as db:
        backup = await store.pending_backup(db, ref)
        if backup is None or backup.finished_at is not None:
            return  # a worker that died had come to the end
        spec = await _spec(rt, db, ref)
        parent = await _parent(rt, db, backup)
    if await rt.archive.generation(ref) != backup.generation:
        raise NotNow("The project's data was replaced before its backup began.")
    taken, parent = await _take(rt, spec, backup, parent)
    async with rt.database.transaction() as db:
        await archives.open_generation(db, ref, backup.generation)
        await archives.record_complete(db, ref, backup.generation, taken.ended_at)
        await store.record_taken(db, backup, taken, parent.id if parent else None)


@take.step(within=timedelta(minutes=30))
async def keep_functions(rt: Runtime, name: str) -> Wait | None:
    """Those that served when the data was as it is in the backup."""
    async with rt.database.connection() as db:
        backup = await store.pending_backup(db, _ref(name))
    return await functions.keep(rt, _ref(name), backup.finished_at) if backup and backup.finished_at else None


@take.step()
async def complete(rt: Runtime, name: str) -> None:
    async with rt.database.connection() as db:
        await store.complete(db, _ref(name))


async def _spec(rt: Runtime, db: Connection, ref: str) -> ClusterSpec:
    """Raises NotNow."""
    project = await projects.get(db, ref)
    if project.status not in SERVING or project.asleep:
        raise NotNow(f"The project is {'asleep' if project.asleep else project.status}.")
    return await projects.cluster_spec(db, rt.keyring, ref)


async def _parent(rt: Runtime, db: Connection, backup: Backup) -> Backup | None:
    """What an increment would be taken against: the newest backup, unless a full one is due."""
    before = await store.complete_backups(db, backup.project_ref, backup.generation)
    if "summarize_wal" not in (await projects.cluster_spec(db, rt.keyring, backup.project_ref)).settings:
        return None
    full = next((each for each in before if each.kind == "full"), None)
    age = timedelta(days=rt.settings.backup_full_every)
    return before[0] if full and backup.inserted_at - full.inserted_at < age else None


async def _take(
    rt: Runtime, spec: ClusterSpec, backup: Backup, parent: Backup | None
) -> tuple[BaseBackup, Backup | None]:
    """An increment, or all of it when Postgres has no summary of what changed."""
    if parent is not None:
        try:
            return await rt.archive.take(spec, backup.key, parent.key), parent
        except (BackupFailed, BackupDamaged) as error:
            log.warning("no increment of project %s can be taken, so a full backup is: %s", spec.ref, error)
    return await rt.archive.take(spec, backup.key, None), None


async def _points_failed(db: Connection, name: str, cause: str) -> None:
    await store.fail_points(db, _ref(name), cause)


mark = Workflow("backup.mark", failed=_points_failed, cancelled=_points_failed)


@mark.step(within=timedelta(minutes=2), final=(ClusterMissing,))
async def mark_points(rt: Runtime, name: str) -> None:
    """A project that restarts is waited for: nothing is written to it meanwhile."""
    ref = _ref(name)
    async with rt.database.connection() as db:
        points = await store.pending_points(db, ref)
        spec = await _spec(rt, db, ref) if points else None
    for point in points:
        assert spec is not None
        generation = await rt.archive.generation(ref)
        if generation is None:
            raise ClusterMissing(f"The cluster of project {ref} has no archive.")
        at = await rt.archive.mark(spec, store.point_label(point.id))
        async with rt.database.transaction() as db:
            await archives.record_complete(db, ref, generation, at)
            await store.complete_point(db, point.id, generation, at)


async def _drill_failed(db: Connection, name: str, cause: str) -> None:
    log.error("the newest backup of project %s did not come back in a drill: %s", _ref(name), cause)
    await store.end_drill(db, _ref(name), cause)


drill = Workflow("backup.drill", failed=_drill_failed, cancelled=_drill_failed)


async def clear_away(rt: Runtime, name: str) -> None:
    await rt.archive.end_rehearsal(_ref(name))


@drill.step(within=TAKE_WITHIN, undo=clear_away, final=(ArchiveUnavailable, BackupDamaged, RecoveryFailed, NotFound))
async def bring_back_aside(rt: Runtime, name: str) -> None:
    ref = _ref(name)
    async with rt.database.connection() as db:
        backup = await store.drilled_backup(db, ref)
        spec = await projects.cluster_spec(db, rt.keyring, ref)
    await rt.archive.rehearse(spec, backup.key)


@drill.step(within=timedelta(minutes=30), final=(BackupDamaged, NotFound))
async def check_functions(rt: Runtime, name: str) -> None:
    async with rt.database.connection() as db:
        backup = await store.drilled_backup(db, _ref(name))
    if backup.finished_at:
        await functions.check(rt, _ref(name), backup.finished_at)


@drill.step()
async def record_drill(rt: Runtime, name: str) -> None:
    async with rt.database.connection() as db:
        await store.end_drill(db, _ref(name), None)


summarize = Workflow("project.summarize_wal")
"""Lets increments be taken of a project that has grown large."""


@summarize.step(within=timedelta(minutes=1), final=(ClusterMissing,))
async def summarize_wal(rt: Runtime, ref: str) -> None:
    async with rt.database.transaction() as db:
        await db.execute("update projects set summarize_wal = true where ref = %s", [ref])
        await rt.clusters.configure(await projects.cluster_spec(db, rt.keyring, ref))
