"""What happens to a project's cluster, each from top to bottom in the order of time.

One run at a time per project: the queue sees to it, so that no two of these meet.
"""

import logging
from datetime import timedelta

from baseplane.database import Connection
from baseplane.drivers import artifacts
from baseplane.drivers.cluster import ClusterMissing, ClusterSpec, Role, StartFailed
from baseplane.resources.projects import companions, losses, settings, store
from baseplane.resources.projects.status import SERVING, Status
from baseplane.runtime import Runtime
from baseplane.workflows import Outcome, Workflow

log = logging.getLogger(__name__)

SOON = timedelta(seconds=20)
RECOVERY = timedelta(minutes=5)
"""A start may have to replay the write-ahead log of a busy cluster."""


def _fails_as(to: Status, *, only_from: frozenset[Status]) -> Outcome:
    async def write(db: Connection, ref: str, cause: str) -> None:
        await store.settle(db, ref, to, only_from=only_from, cause=cause)

    return write


def _ends_as(to: Status, *, only_from: frozenset[Status]) -> Outcome:
    async def write(db: Connection, ref: str, _cause: str) -> None:
        await store.settle(db, ref, to, only_from=only_from)

    return write


async def _spec(rt: Runtime, ref: str) -> ClusterSpec:
    async with rt.database.connection() as db:
        return await store.cluster_spec(db, rt.keyring, ref)


async def remove_cluster(rt: Runtime, ref: str) -> None:
    """With everything else of the project that is no row."""
    await rt.functions.remove(ref)
    await artifacts.clear(rt.artifacts, ref)
    await rt.poolers.stop(ref)
    await rt.clusters.remove(ref)


async def serve(rt: Runtime, ref: str) -> None:
    """Settings that waited for this start and do not survive it are given up; the next attempt does without them."""
    try:
        await rt.clusters.start(await _spec(rt, ref))
    except StartFailed as error:
        async with rt.database.connection() as db:
            if await settings.fall_back(db, ref):
                log.warning("project %s does not start with its new settings, back to the old: %s", ref, error)
        raise
    async with rt.database.connection() as db:
        await store.wake_up(db, ref)


async def probe(rt: Runtime, ref: str) -> None:
    """A query through the public door: what is called healthy has served. Should it have died since its start, again."""
    spec = await _spec(rt, ref)
    await rt.clusters.start(spec)
    await rt.door.probe(ref, Role.OWNER, spec.secret)


create = Workflow("project.create", failed=_fails_as(Status.INIT_FAILED, only_from=frozenset({Status.COMING_UP})))


@create.step(within=RECOVERY, undo=remove_cluster)
async def provision(rt: Runtime, ref: str) -> None:
    spec = await _spec(rt, ref)
    await rt.clusters.create(spec)
    async with rt.database.connection() as db:
        await store.record_version(db, ref, rt.clusters.version(spec.engine))


create.step(within=timedelta(minutes=1), final=(ClusterMissing,))(serve)


@create.step(within=SOON)
async def probe_as_user(rt: Runtime, ref: str) -> None:
    """As role postgres with the password that the user chose, through the door that the user will take."""
    spec = await _spec(rt, ref)
    await rt.door.probe(ref, "postgres", spec.password)


@create.step()
async def activate(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        await store.settle(db, ref, Status.ACTIVE_HEALTHY, only_from={Status.COMING_UP})


pause = Workflow("project.pause", failed=_fails_as(Status.PAUSE_FAILED, only_from=frozenset({Status.PAUSING})))
pause.step(within=timedelta(minutes=3))(companions.stop_replicas)


async def stop(rt: Runtime, ref: str) -> None:
    await rt.poolers.stop(ref)
    await rt.clusters.stop(ref)


pause.step(within=timedelta(minutes=2))(stop)


@pause.step()
async def settle_paused(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        await store.settle(db, ref, Status.INACTIVE, only_from={Status.PAUSING})


restore = Workflow(
    "project.restore",
    failed=_fails_as(Status.RESTORE_FAILED, only_from=frozenset({Status.RESTORING})),
    cancelled=_ends_as(Status.INACTIVE, only_from=frozenset({Status.RESTORING})),
)


@restore.step(within=RECOVERY, undo=stop, final=(ClusterMissing,))
async def serve_what_is_there(rt: Runtime, ref: str) -> None:
    """A project whose data directory is gone is brought back from its archive instead: ``backups.lost`` finds it."""
    try:
        await serve(rt, ref)
    except ClusterMissing:
        if not rt.archive.is_on:
            raise
        async with rt.database.connection() as db:
            await losses.lose(db, ref)


@restore.step(within=SOON, final=(ClusterMissing,))
async def probe_what_is_there(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        lost = await losses.is_lost(db, ref)
    if not lost:
        await probe(rt, ref)


@restore.step()
async def settle_restored(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        if not await losses.is_lost(db, ref):
            await store.settle(db, ref, Status.ACTIVE_HEALTHY, only_from={Status.RESTORING})


RUNNING_AGAIN = SERVING | {Status.RESTARTING}
restart = Workflow("project.restart", failed=_fails_as(Status.ACTIVE_UNHEALTHY, only_from=RUNNING_AGAIN))
"""Brings up a cluster that should run and does not: after a start of ours, or a death of its own."""
restart.step(within=RECOVERY, final=(ClusterMissing,))(serve)
restart.step(within=SOON, final=(ClusterMissing,))(probe)


@restart.step()
async def settle_running(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        await store.settle(db, ref, Status.ACTIVE_HEALTHY, only_from=RUNNING_AGAIN)


stop_and_start = Workflow(
    "project.stop_and_start", failed=_fails_as(Status.ACTIVE_UNHEALTHY, only_from=frozenset({Status.RESTARTING}))
)
"""A restart that a user asks for; settings that wait for one are in force afterwards."""


@stop_and_start.step(within=timedelta(minutes=2))
async def stop_to_restart(rt: Runtime, ref: str) -> None:
    """Not once it serves again: a worker that was thought dead may come late."""
    async with rt.database.connection() as db:
        status = (await store.get(db, ref)).status
    if status == Status.RESTARTING:
        await stop(rt, ref)


stop_and_start.step(within=RECOVERY, final=(ClusterMissing,))(serve)
stop_and_start.step(within=SOON, final=(ClusterMissing,))(probe)
stop_and_start.step()(settle_running)

sleep = Workflow("project.sleep")


@sleep.step(within=timedelta(minutes=2))
async def stop_if_idle(rt: Runtime, ref: str) -> None:
    """Called asleep first: whoever comes from then on asks to wake it, and waits until this has ended."""
    async with rt.database.connection() as db:
        idle = await store.fall_asleep(db, ref, timedelta(minutes=rt.settings.sleep_after))
    if idle:
        await stop(rt, ref)


wake = Workflow("project.wake", failed=_fails_as(Status.ACTIVE_UNHEALTHY, only_from=frozenset({Status.ACTIVE_HEALTHY})))
wake.step(within=RECOVERY, final=(ClusterMissing,))(serve)

change_password = Workflow("project.change_password")
change_password.step(within=RECOVERY, final=(ClusterMissing,))(serve)


@change_password.step(within=SOON, final=(ClusterMissing,))
async def give_password(rt: Runtime, ref: str) -> None:
    await rt.clusters.set_password(await _spec(rt, ref))


delete = Workflow("project.delete", failed=_fails_as(Status.UNKNOWN, only_from=frozenset({Status.GOING_DOWN})))
delete.step(within=timedelta(minutes=5))(companions.remove_replicas)
delete.step(within=timedelta(minutes=5))(remove_cluster)


@delete.step()
async def erase(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        await store.erase(db, ref)
