"""What happens to a read replica, each from top to bottom in the order of time. The subject is the replica's identifier.

These runs do not wait for those of the project, nor hold them up: a copy may take long. Instead, they end when the
project is paused or deleted, which waits for that (``projects.companions``).
"""

from collections.abc import Collection
from datetime import timedelta

from baseplane.database import Connection
from baseplane.drivers.cluster import (
    ClusterMissing,
    DriverUnavailable,
    Role,
    SettingsRefused,
    Slot,
    StandbyRefused,
    StandbySpec,
)
from baseplane.errors import BaseplaneError, NotFound, Unavailable
from baseplane.resources.doors import announcements
from baseplane.resources.projects import replicas, sleep, store
from baseplane.resources.projects.companions import REMOVAL
from baseplane.resources.projects.replicas import ReplicaStatus
from baseplane.resources.projects.status import OPEN
from baseplane.runtime import Runtime
from baseplane.workflows import Outcome, Wait, Workflow

SOON = timedelta(seconds=20)
COPY_WITHIN = timedelta(hours=1)
BROKEN_COPIES = 5
"""So many copies may be broken off, by restarts of the primary above all, before it is given up."""
STREAM_WITHIN = timedelta(minutes=2)
"""Until it has what was written while it was copied, or was down."""
ASK_AGAIN = Wait(0.02)

INIT = frozenset({ReplicaStatus.INIT_READ_REPLICA})


class PrimaryAway(BaseplaneError):
    """The project does not serve, so there is nothing to follow."""


class CopyFailed(BaseplaneError):
    """Copying the primary was broken off too often."""


class FellBehind(BaseplaneError):
    """The primary does not have what the replica would have to read next."""


HOPELESS = (PrimaryAway, ClusterMissing, NotFound, FellBehind)


def _ends_as(to: ReplicaStatus, *, only_from: Collection[ReplicaStatus], otherwise: str = "") -> Outcome:
    async def write(db: Connection, identifier: str, cause: str) -> None:
        await replicas.settle(db, identifier, to, only_from=only_from, cause=cause or otherwise)

    return write


def _making(name: str) -> Workflow:
    failed = ReplicaStatus.INIT_READ_REPLICA_FAILED
    cause = "It was broken off, because the project was paused."
    return Workflow(
        name, failed=_ends_as(failed, only_from=INIT), cancelled=_ends_as(failed, only_from=INIT, otherwise=cause)
    )


async def _spec(rt: Runtime, identifier: str) -> StandbySpec:
    """Raises NotFound; PrimaryAway unless the project is meant to answer."""
    async with rt.database.connection() as db:
        spec = await replicas.standby_spec(db, rt.keyring, identifier)
        project = await store.get(db, spec.primary.ref)
    if project.status not in OPEN:
        raise PrimaryAway(f"The project is {project.status}: a read replica needs its primary.")
    await sleep.awaken(rt, project)
    return spec


async def remove_cluster(rt: Runtime, identifier: str) -> None:
    await rt.poolers.stop(identifier)
    async with rt.database.connection() as db:
        spec = await replicas.standby_spec(db, rt.keyring, identifier)
    await rt.clusters.standbys.remove(spec)


async def copy_primary(rt: Runtime, identifier: str) -> Wait | None:
    spec = await _spec(rt, identifier)
    try:
        return None if await rt.clusters.standbys.fill(spec) else ASK_AGAIN
    except DriverUnavailable as error:
        async with rt.database.connection() as db:
            if await replicas.count_copies(db, identifier) >= BROKEN_COPIES:
                raise CopyFailed(str(error)) from error
        raise


async def serve(rt: Runtime, identifier: str) -> None:
    await rt.clusters.standbys.start(await _spec(rt, identifier))


async def await_streaming(rt: Runtime, identifier: str) -> None:
    """Started again if it died meanwhile."""
    spec = await _spec(rt, identifier)
    await rt.clusters.standbys.start(spec)
    link = await rt.clusters.standbys.link(spec)
    if link.slot is not Slot.KEPT:
        raise FellBehind(f"It fell behind its primary: the replication slot is {link.slot}.")
    if not link.streams:
        raise Unavailable(f"It does not stream from its primary yet, {link.bytes} bytes behind.")
    async with rt.database.connection() as db:
        await replicas.record_link(db, identifier, link)


async def probe(rt: Runtime, identifier: str) -> None:
    """A query through the public door, of one that is started if it died meanwhile: what is called healthy has served."""
    spec = await _spec(rt, identifier)
    await rt.clusters.standbys.start(spec)
    await rt.door.probe(identifier, Role.OWNER, spec.primary.secret)


async def settle_healthy(rt: Runtime, identifier: str) -> None:
    async with rt.database.connection() as db:
        await replicas.settle(db, identifier, ReplicaStatus.ACTIVE_HEALTHY, only_from=replicas.OPEN)


def _follow_and_serve(workflow: Workflow) -> None:
    workflow.step(within=STREAM_WITHIN, final=HOPELESS)(await_streaming)
    workflow.step(within=SOON, final=HOPELESS)(probe)
    workflow.step()(settle_healthy)


setup = _making("replica.setup")
setup.step(within=COPY_WITHIN, undo=remove_cluster, final=(*HOPELESS, StandbyRefused, CopyFailed))(copy_primary)
setup.step(within=timedelta(minutes=1), final=HOPELESS)(serve)
_follow_and_serve(setup)

rebuild = _making("replica.rebuild")
"""What fell behind, or was lost, is made anew: there is nothing in it that the primary does not have."""
rebuild.step(within=timedelta(minutes=2), undo=remove_cluster, final=(NotFound,))(remove_cluster)
rebuild.step(within=COPY_WITHIN, undo=remove_cluster, final=(*HOPELESS, StandbyRefused, CopyFailed))(copy_primary)
rebuild.step(within=timedelta(minutes=1), final=HOPELESS)(serve)
_follow_and_serve(rebuild)

give_up = Workflow("replica.give_up")
"""What is not rebuilt any more leaves nothing that holds on to the primary's disk."""
give_up.step(within=timedelta(minutes=2), final=(NotFound,))(remove_cluster)

_unhealthy = _ends_as(ReplicaStatus.ACTIVE_UNHEALTHY, only_from=replicas.UP)
restart = Workflow("replica.restart", failed=_unhealthy)
"""Brings up one that should run and follow, and does not."""


@restart.step(within=timedelta(minutes=1), final=(PrimaryAway, NotFound))
async def stop_what_hangs(rt: Runtime, identifier: str) -> None:
    spec = await _spec(rt, identifier)
    try:
        streams = (await rt.clusters.standbys.link(spec)).streams
    except (ClusterMissing, Unavailable):
        streams = False
    if not streams:
        await rt.clusters.stop(identifier)


restart.step(within=timedelta(minutes=1), final=HOPELESS)(serve)
_follow_and_serve(restart)

follow = Workflow("replica.follow", failed=_unhealthy)
"""The project's settings or size have changed."""


@follow.step(within=timedelta(minutes=1), final=(*HOPELESS, SettingsRefused))
async def take_settings(rt: Runtime, identifier: str) -> None:
    await rt.clusters.standbys.follow(await _spec(rt, identifier))


_follow_and_serve(follow)

remove = Workflow(REMOVAL, failed=_ends_as(ReplicaStatus.UNKNOWN, only_from=frozenset({ReplicaStatus.GOING_DOWN})))


@remove.step(within=SOON, final=(NotFound,))
async def end_sessions(rt: Runtime, identifier: str) -> None:
    async with rt.database.connection() as db:
        replica = await replicas.get(db, identifier)
    await announcements.enforce(rt.database, replica.ref)


remove.step(within=timedelta(minutes=2), final=(NotFound,))(remove_cluster)


@remove.step()
async def forget(rt: Runtime, identifier: str) -> None:
    async with rt.database.connection() as db:
        await replicas.delete(db, identifier)
