"""An upgrade from top to bottom, and the way back from any place; the question whether one is possible."""

import functools
from collections.abc import Awaitable, Callable
from datetime import timedelta

from baseplane.database import Connection
from baseplane.drivers.cluster import ClusterMissing, ClusterSpec, Role, StartFailed, UpgradeRefused
from baseplane.resources.projects import store as projects
from baseplane.resources.projects import workflows as running
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.workflows import RECOVERY
from baseplane.resources.upgrades import obstacles, store
from baseplane.resources.upgrades.store import Upgrade
from baseplane.runtime import Runtime
from baseplane.workflows import Do, Workflow, queue

COPYING = timedelta(hours=2)
"""The largest project that an upgrade is tried for is what its machine copies in this time."""
FINAL = (UpgradeRefused, StartFailed, ClusterMissing)

Act = Callable[[Runtime, ClusterSpec, Upgrade], Awaitable[None]]

check = Workflow("project.check_upgrade")


@check.step(within=timedelta(minutes=2), final=(ClusterMissing,))
async def answer_all(rt: Runtime, ref: str) -> None:
    """Every question that waits; one that is asked meanwhile has a run of its own."""
    async with rt.database.connection() as db:
        spec = await projects.cluster_spec(db, rt.keyring, ref)
        asked = await store.asked(db, ref)
    for question in asked:
        findings = await obstacles.find(rt, spec, question.engine)
        async with rt.database.connection() as db:
            await store.answer(db, question.id, findings.stored())


async def _failed(db: Connection, ref: str, cause: str) -> None:
    """What opens the project to users again and looks at it through the door is a restart, as at the good end."""
    if await store.fail(db, ref, cause or "It was called off."):
        await _open(db, ref, f"The upgrade failed, Postgres is the one from before: {cause}")


async def _open(db: Connection, ref: str, cause: str) -> None:
    """Unless it is being deleted, which takes what is left aside with it."""
    if await projects.settle(db, ref, Status.RESTARTING, only_from={Status.UPGRADING}, cause=cause):
        await queue.start(db, running.restart, ref)
        await queue.start(db, tidy, ref)


upgrade = Workflow("project.upgrade", failed=_failed, cancelled=_failed)


def _unless_over(act: Act) -> Do:
    """A step that is given the cluster as it was and where it goes. A worker that was thought dead may come too late."""

    @functools.wraps(act)
    async def do(rt: Runtime, ref: str) -> None:
        async with rt.database.connection() as db:
            spec = await projects.cluster_spec(db, rt.keyring, ref)
            going_on = await store.going_on(db, ref)
        if going_on is not None:
            await act(rt, spec, going_on)

    return do


async def _reach(rt: Runtime, to: Upgrade, *places: int) -> None:
    async with rt.database.connection() as db:
        for place in places:
            await store.reach(db, to.ref, store.PROGRESS[place])


async def take_back(rt: Runtime, ref: str) -> None:
    """Run the old cluster again, wherever the attempt came to; once it was completed there is no way back."""
    async with rt.database.connection() as db:
        going_on = await store.going_on(db, ref)
        old = await projects.cluster_spec(db, rt.keyring, ref)
    if going_on is None:
        return
    await rt.clusters.upgrades.break_off(ref, going_on.label)
    await rt.clusters.switch_back(ref, going_on.label)
    await rt.clusters.start(old)
    await rt.clusters.upgrades.mend(old)


@upgrade.step(within=RECOVERY, undo=take_back, final=FINAL)
@_unless_over
async def launch(rt: Runtime, old: ClusterSpec, to: Upgrade) -> None:
    """Make the new cluster's frame, while the old one still runs to be checked against it, and serves who is inside."""
    await _reach(rt, to, 1)
    await rt.clusters.start(old)
    await rt.clusters.upgrades.prepare(old, to.engine, to.label)
    async with rt.clusters.connect(to.ref, Role.ADMIN, old.secret) as db:
        await db.execute("checkpoint")  # what is written now is not waited for when it stops
    await _reach(rt, to, 2)


@upgrade.step(within=timedelta(minutes=2), final=FINAL)
@_unless_over
async def stop_original(rt: Runtime, _old: ClusterSpec, to: Upgrade) -> None:
    await running.stop(rt, to.ref)
    await _reach(rt, to, 3, 4)


@upgrade.step(within=COPYING, final=FINAL)
@_unless_over
async def carry_over(rt: Runtime, old: ClusterSpec, to: Upgrade) -> None:
    await _reach(rt, to, 5)
    await rt.clusters.upgrades.carry_over(old, to.engine, to.label)


@upgrade.step(within=RECOVERY, final=FINAL)
@_unless_over
async def finish(rt: Runtime, old: ClusterSpec, to: Upgrade) -> None:
    """Look at the new cluster where it is, before it takes the place of the old."""
    remarks = await rt.clusters.upgrades.finish(old, to.engine, to.label)
    async with rt.database.connection() as db:
        await store.remark(db, to.ref, remarks)
    await _reach(rt, to, 6)


@upgrade.step(within=timedelta(minutes=1), final=FINAL)
@_unless_over
async def switch_in(rt: Runtime, _old: ClusterSpec, to: Upgrade) -> None:
    await rt.clusters.switch_in(to.ref, to.label)
    await _reach(rt, to, 7)


@upgrade.step(within=RECOVERY, final=FINAL)
@_unless_over
async def start_upgraded(rt: Runtime, old: ClusterSpec, to: Upgrade) -> None:
    """Nobody but the platform gets in yet, not even what got past every door before the upgrade and has waited since:
    what users write would be lost if it were taken back.
    """
    await rt.clusters.start(old, closed=True)
    async with rt.clusters.connect(to.ref, Role.ADMIN, old.secret) as db:
        await db.execute("select")
    await _reach(rt, to, 8)


@upgrade.step()
async def complete(rt: Runtime, ref: str) -> None:
    """From here on there is no way back."""
    async with rt.database.transaction() as db:
        if (done := await store.succeed(db, ref)) is None:
            return
        await projects.record_engine(db, ref, done.engine, done.version)
        await _open(db, ref, f"Upgraded to Postgres {done.version}.")


tidy = Workflow("project.tidy_upgrade")


@tidy.step(within=timedelta(minutes=10))
async def discard_other(rt: Runtime, ref: str) -> None:
    """The data that the project does not go on with: the old, or the new of an upgrade that failed."""
    latest, _ = await _latest(rt, ref)
    if latest and latest.state != "upgrading":
        await rt.clusters.discard(ref, latest.label)


@tidy.step(within=timedelta(minutes=10))
async def gather_statistics(rt: Runtime, ref: str) -> None:
    latest, spec = await _latest(rt, ref)
    if latest and latest.state == "upgraded":
        await rt.clusters.upgrades.gather_statistics(spec)


async def _latest(rt: Runtime, ref: str) -> tuple[Upgrade | None, ClusterSpec]:
    async with rt.database.connection() as db:
        return await store.latest(db, ref), await projects.cluster_spec(db, rt.keyring, ref)
