"""Making a project from the archive of another, from top to bottom. Whatever fails, nothing of it is left but its row.

The source is asked for no more than to close its log, and only if the archive does not have what is wanted yet.
"""

import dataclasses
from datetime import timedelta

from baseplane.database import Connection
from baseplane.drivers.archive import BackupDamaged, RecoveryFailed
from baseplane.drivers.cluster import ClusterMissing, DriverUnavailable, Role, State
from baseplane.errors import NotFound
from baseplane.resources.access import cluster_roles
from baseplane.resources.backups import archives, choosing, clones, store, watch
from baseplane.resources.backups.choosing import Chosen
from baseplane.resources.backups.clones import LABEL, Clone
from baseplane.resources.backups.recovering import PREPARE_WITHIN, OutsideWindow, flush
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.workflows import RECOVERY, probe_as_user, remove_cluster, serve
from baseplane.resources.webhooks import outbox
from baseplane.runtime import Runtime
from baseplane.workflows import Wait, Workflow

POLL = 0.2
"""Seconds between two looks at a source that has its log to hand over."""


async def _failed(db: Connection, ref: str, cause: str) -> None:
    await projects.settle(db, ref, Status.INIT_FAILED, only_from={Status.COMING_UP}, cause=cause)


create_from = Workflow("project.create_from", failed=_failed)


async def _asked(rt: Runtime, ref: str) -> Clone:
    """Raises NotFound."""
    async with rt.database.connection() as db:
        clone = await clones.find(db, ref)
    if clone is None or clone.is_made:
        raise NotFound("The project is not to be made from another's archive any more.")
    return clone


@create_from.step(within=timedelta(minutes=3), final=(OutsideWindow, NotFound))
async def save_log_of_source(rt: Runtime, ref: str) -> Wait | None:
    """What the source has committed until it was asked for is in the archive; of one that is lost, what it had given."""
    clone = await _asked(rt, ref)
    if not clone.needs_newest_log or await _is_archived(rt, clone):
        return None
    state = await rt.clusters.observe(clone.source_ref)
    if state is State.STARTING:
        return Wait(POLL)
    if state is State.RUNNING:
        async with rt.database.connection() as db:
            spec = await projects.cluster_spec(db, rt.keyring, clone.source_ref)
        await flush(rt, spec)
    elif not await _is_carried_away(rt, clone):
        return Wait(POLL)
    if clone.moment and not await _is_archived(rt, clone):
        async with rt.database.connection() as db:
            known = await archives.windows(db, rt.settings, clone.source_ref)
        raise OutsideWindow(
            f"The archive does not reach to {clone.moment:%Y-%m-%d %H:%M:%S %Z}. {archives.describe(known)}"
        )
    return None


async def _is_archived(rt: Runtime, clone: Clone) -> bool:
    async with rt.database.connection() as db:
        known = await archives.windows(db, rt.settings, clone.source_ref)
    return clone.moment is not None and archives.containing(known, clone.moment, runs=False) is not None


async def _is_carried_away(rt: Runtime, clone: Clone) -> bool:
    """A cluster that was stopped has closed its log, which waits for the archive outside of its home."""
    await watch.carry(rt)
    async with rt.database.connection() as db:
        return await archives.is_carried_away(db, clone.source_ref, clone.asked_at)


async def remove(rt: Runtime, ref: str) -> None:
    """With what may still run aside."""
    await rt.clusters.discard(ref, LABEL)
    await remove_cluster(rt, ref)


@create_from.step(
    within=PREPARE_WITHIN, undo=remove, final=(BackupDamaged, RecoveryFailed, DriverUnavailable, NotFound)
)
async def prepare(rt: Runtime, ref: str) -> None:
    clone = await _asked(rt, ref)
    async with rt.database.connection() as db:
        backup = await store.get_backup(db, clone.source_ref, clone.backup)
        chosen = Chosen(backup, clone.moment, clone.point, as_backed_up=clone.as_backed_up)
        target = await choosing.target(db, rt.settings, chosen)
        spec = await projects.cluster_spec(db, rt.keyring, ref)
    secret, *root_keys = (
        rt.keyring.open(sealed, clones.purpose(ref)) for sealed in (clone.secret or b"", *clone.root_keys)
    )
    spec = dataclasses.replace(spec, root_keys=(*spec.root_keys, *root_keys))
    recovered = await rt.archive.prepare(spec, LABEL, backup.key, target, secret)
    async with rt.database.transaction() as db:
        await projects.record_engine(db, ref, recovered.engine, recovered.version)
        await clones.record_last_commit(db, ref, recovered.last_commit)


@create_from.step(within=RECOVERY, final=(ClusterMissing,))
async def switch_in(rt: Runtime, ref: str) -> None:
    await rt.clusters.switch_in(ref, LABEL)


@create_from.step(within=RECOVERY, final=(ClusterMissing,))
async def serve_and_probe(rt: Runtime, ref: str) -> None:
    """As its user will reach it; should it die meanwhile, again."""
    await serve(rt, ref)
    await _part_from_source(rt, ref)
    await probe_as_user(rt, ref)


async def _part_from_source(rt: Runtime, ref: str) -> None:
    """What waits to be sent is the source's to send, and its temporary roles are nobody's here.

    No courier comes before the project is active.
    """
    async with rt.database.connection() as db:
        secret = (await projects.read_secrets(db, rt.keyring, ref)).secret
    async with rt.clusters.connect(ref, Role.ADMIN, secret) as inside:
        await outbox.drop_queued(inside)
        await cluster_roles.drop_all(inside)


@create_from.step()
async def activate(rt: Runtime, ref: str) -> None:
    await rt.clusters.discard(ref, LABEL)
    async with rt.database.transaction() as db:
        await clones.complete(db, ref)
        await projects.settle(db, ref, Status.ACTIVE_HEALTHY, only_from={Status.COMING_UP})
