"""A change of settings, or of the size: tried, loaded, restarted for if need be, probed; and taken back if Postgres does
not like it.
"""

from baseplane.database import Connection
from baseplane.drivers.cluster import ClusterMissing, ClusterSpec, SettingsRefused, StartFailed, State
from baseplane.drivers.cluster.sizes import SIZES
from baseplane.resources.postgres_config import store
from baseplane.resources.projects import replicas
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import SERVING, Status
from baseplane.resources.projects.workflows import RECOVERY, SOON, probe, serve
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow

CHANGING = frozenset({Status.RESTARTING, Status.RESIZING})


async def _failed(db: Connection, ref: str, cause: str) -> None:
    """Nothing stays of it. Still in ``CHANGING`` means that going back did not bring it up either."""
    await store.drop(db, ref)
    await projects.settle(db, ref, Status.ACTIVE_UNHEALTHY, only_from=CHANGING, cause=cause)


configure = Workflow("project.configure", failed=_failed, cancelled=_failed)
resize = Workflow("project.resize", failed=_failed, cancelled=_failed, steps=configure.steps)


async def _wanted(rt: Runtime, ref: str) -> ClusterSpec:
    async with rt.database.connection() as db:
        return await store.wanted_spec(db, rt.keyring, ref)


@configure.step(within=SOON, final=(SettingsRefused, ClusterMissing))
async def rehearse(rt: Runtime, ref: str) -> None:
    """Refuse what Postgres would not start with while nothing has changed yet."""
    spec = await _wanted(rt, ref)
    needed, memory = await rt.clusters.rehearse(spec), SIZES[spec.size].memory
    if needed > memory:
        raise SettingsRefused(
            f"With these settings Postgres takes {needed} MB of shared memory; the compute size {spec.size} has"
            f" {memory} MB in all. Lower shared_buffers or max_connections."
        )


async def take_back(rt: Runtime, ref: str) -> None:
    """Serve with the old settings again, restarted only if that was done for the new ones."""
    async with rt.database.connection() as db:
        project = await projects.get(db, ref)
        spec = await projects.cluster_spec(db, rt.keyring, ref)
    if await rt.clusters.observe(ref) != State.RUNNING:
        await rt.clusters.stop(ref)  # what hangs in its start would go on with the new ones
    if await rt.clusters.configure(spec) and project.status in CHANGING:
        await rt.clusters.stop(ref)
    await serve(rt, ref)
    await probe(rt, ref)
    async with rt.database.connection() as db:
        await projects.settle(db, ref, Status.ACTIVE_HEALTHY, only_from=CHANGING)


@configure.step(within=RECOVERY, undo=take_back, final=(SettingsRefused, StartFailed, ClusterMissing))
async def apply(rt: Runtime, ref: str) -> None:
    """Begun anew after a crash, it finds the settings taken, waiting, or the cluster stopped for them."""
    spec = await _wanted(rt, ref)
    waiting = await rt.clusters.configure(spec)
    async with rt.database.connection() as db:
        change = await store.find(db, ref)
        if restart := bool(waiting and change and change.restart):
            assert change is not None
            cause = f"Restarting for {', '.join(sorted(waiting))}."
            to = Status.RESIZING if change.size else Status.RESTARTING
            await projects.settle(db, ref, to, only_from=SERVING, cause=cause)
    if restart:
        await rt.poolers.stop(ref)  # how many clients it takes depends on the size
        await rt.clusters.stop(ref)
    await rt.clusters.start(spec)
    async with rt.database.connection() as db:
        await projects.wake_up(db, ref)


@configure.step(within=SOON, final=(StartFailed, ClusterMissing))
async def probe_changed(rt: Runtime, ref: str) -> None:
    """A query through the public door, of a cluster that is started if it died meanwhile."""
    await rt.clusters.start(await _wanted(rt, ref))
    await probe(rt, ref)


@configure.step()
async def adopt(rt: Runtime, ref: str) -> None:
    waiting = await rt.clusters.configure(await _wanted(rt, ref))
    async with rt.database.transaction() as db:
        await store.adopt(db, ref, served=not waiting)
        await replicas.look_again(db, ref)
        await projects.settle(db, ref, Status.ACTIVE_HEALTHY, only_from=SERVING | CHANGING)
