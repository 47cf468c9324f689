"""Bringing a project back to what it was: prepared aside while it serves, then switched in, with a way back throughout."""

import contextlib
import dataclasses
from datetime import timedelta

from baseplane.database import Connection
from baseplane.database.secrets import Keyring
from baseplane.drivers.archive import BackupDamaged, RecoveryFailed
from baseplane.drivers.cluster import ClusterMissing, ClusterSpec, Role, StartFailed
from baseplane.drivers.cluster.engines import EngineMissing
from baseplane.errors import BaseplaneError, NotFound, Unavailable
from baseplane.resources.backups import archives, choosing, functions, store
from baseplane.resources.backups.choosing import Chosen
from baseplane.resources.backups.functions import FilesLost
from baseplane.resources.backups.left_serving import served_before
from baseplane.resources.backups.store import Backup, Recovery
from baseplane.resources.backups.taking import subject, take
from baseplane.resources.projects import losses
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.workflows import RECOVERY, serve
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow, queue

PREPARE_WITHIN = timedelta(hours=12)
"""As long as the largest project takes to fetch and to replay."""


class OutsideWindow(BaseplaneError):
    """The archive does not reach to the moment that was asked for."""


async def _asked(rt: Runtime, ref: str) -> Recovery:
    async with rt.database.connection() as db:
        return await store.asked_recovery(db, ref)


async def _failed(db: Connection, ref: str, cause: str) -> None:
    await store.end_recovery(db, ref, "failed", cause)
    lost = await losses.is_lost(db, ref)
    rest = "to try again" if lost else "to go on with it"
    before = "Its data is in its archive alone" if lost else "The database is as it was before"
    told = f"It was not brought back: {cause} {before}; restore the project {rest}."
    await projects.settle(db, ref, Status.RESTORE_FAILED, only_from={Status.RESTORING}, cause=told)


async def _cancelled(db: Connection, ref: str, _cause: str) -> None:
    recovery = await store.asked_recovery(db, ref)
    await store.end_recovery(db, ref, "cancelled", None)
    await projects.settle(db, ref, Status(recovery.status_before), only_from={Status.RESTORING})


recover = Workflow("project.recover", failed=_failed, cancelled=_cancelled)


async def serve_as_before(rt: Runtime, ref: str) -> None:
    """Whatever was begun, the project's own data serves if it did; data that is lost stays lost."""
    async with rt.database.connection() as db:
        served = await served_before(db, ref)
    if served:
        with contextlib.suppress(ClusterMissing):
            await serve(rt, ref)


@recover.step(within=timedelta(minutes=3), undo=serve_as_before, final=(OutsideWindow, NotFound))
async def save_what_is_there(rt: Runtime, ref: str) -> None:
    """Carry the log until now to the archive: the moment may lie within it, and what is given up stays reachable."""
    async with rt.database.connection() as db:
        recovery = await store.asked_recovery(db, ref)
        spec = await projects.cluster_spec(db, rt.keyring, ref)
        served = await served_before(db, ref)
    try:
        if served:
            await serve(rt, ref)  # it may have died since
        await flush(rt, spec)
    except (Unavailable, ClusterMissing, StartFailed) as error:
        async with rt.database.connection() as db:
            known = await archives.windows(db, rt.settings, ref)
        if recovery.moment and not archives.containing(known, recovery.moment, runs=False):
            raise OutsideWindow(f"{error} {archives.describe(known)}") from error


async def flush(rt: Runtime, spec: ClusterSpec) -> None:
    """Carry everything to the archive that was committed before this call. Raises as the driver's."""
    until = await rt.archive.flush(spec)
    if generation := await rt.archive.generation(spec.ref):
        async with rt.database.connection() as db:
            await archives.record_complete(db, spec.ref, generation, until)


@recover.step(within=timedelta(minutes=30), final=(FilesLost, NotFound))
async def fetch_functions(rt: Runtime, ref: str) -> None:
    """Before anything is given up for it: what served then must be had, from the archive if it has gone since.

    The files of storage buckets will have a step beside this one, and their line in ``settle``.
    """
    async with rt.database.connection() as db:
        moment = await store.recovery_moment(db, await store.asked_recovery(db, ref))
    await functions.fetch(rt, ref, moment)


async def discard(rt: Runtime, ref: str) -> None:
    await rt.clusters.discard(ref, (await _asked(rt, ref)).label)


@recover.step(within=PREPARE_WITHIN, undo=discard, final=(BackupDamaged, RecoveryFailed, EngineMissing, NotFound))
async def prepare(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        recovery = await store.asked_recovery(db, ref)
        backup = await store.get_backup(db, ref, recovery.backup)
        target = await choosing.target(db, rt.settings, _chosen(recovery, backup))
        spec = await spec_of_then(db, rt.keyring, ref)
    recovered = await rt.archive.prepare(spec, recovery.label, backup.key, target)
    async with rt.database.connection() as db:
        await store.record_recovered(db, recovery, recovered)


def _chosen(recovery: Recovery, backup: Backup) -> Chosen:
    as_backed_up = recovery.moment is None and recovery.point is None and not recovery.latest
    return Chosen(backup, recovery.moment, recovery.point, as_backed_up=as_backed_up)


async def spec_of_then(db: Connection, keyring: Keyring, ref: str) -> ClusterSpec:
    """With the root keys of the time of its backups, which open what was encrypted then."""
    spec = await projects.cluster_spec(db, keyring, ref)
    kept = [keyring.open(key, f"projects.root_key:{ref}") for key in await store.root_keys(db, ref)]
    return dataclasses.replace(spec, root_keys=tuple(dict.fromkeys([*spec.root_keys, *kept])))


async def put_back(rt: Runtime, ref: str) -> None:
    """The data before is the project's again."""
    recovery = await _asked(rt, ref)
    await rt.poolers.stop(ref)
    await rt.clusters.switch_back(ref, recovery.label)
    await _record_generation(rt, ref)


@recover.step(within=RECOVERY, undo=put_back, final=(ClusterMissing, NotFound))
async def switch_in(rt: Runtime, ref: str) -> None:
    recovery = await _asked(rt, ref)
    async with rt.database.transaction() as db:
        await projects.keep_root_keys(db, rt.keyring, ref, (await spec_of_then(db, rt.keyring, ref)).root_keys)
    await rt.poolers.stop(ref)
    await rt.clusters.switch_in(ref, recovery.label)
    async with rt.database.connection() as db:
        await losses.found_again(db, ref)
    await _record_generation(rt, ref)


async def _record_generation(rt: Runtime, ref: str) -> None:
    if generation := await rt.archive.generation(ref):
        async with rt.database.transaction() as db:
            await archives.open_generation(db, ref, generation)


@recover.step(within=RECOVERY, final=(ClusterMissing, NotFound))
async def serve_and_probe(rt: Runtime, ref: str) -> None:
    """What was brought back is reached as it was before, by the platform and by its user; should it die, again."""
    await serve(rt, ref)
    async with rt.database.connection() as db:
        spec = await projects.cluster_spec(db, rt.keyring, ref)
    await rt.door.probe(ref, Role.OWNER, spec.secret)
    await rt.door.probe(ref, "postgres", spec.password)


@recover.step()
async def settle(rt: Runtime, ref: str) -> None:
    """What was brought back has no backup of its own yet: one is taken at once."""
    generation = await rt.archive.generation(ref)
    async with rt.database.transaction() as db:
        try:
            recovery = await store.asked_recovery(db, ref)
        except NotFound:
            return  # a worker that died had come to the end
        await functions.bring_back(db, ref, await store.recovery_moment(db, recovery))
        await store.adopt_engine(db, recovery)
        await store.end_recovery(db, ref, "done", None, timedelta(hours=rt.settings.restore_grace))
        await projects.settle(db, ref, Status.ACTIVE_HEALTHY, only_from={Status.RESTORING})
        if generation and await store.ask_for_backup(db, ref, generation):
            await queue.start(db, take, subject("backup", ref))
