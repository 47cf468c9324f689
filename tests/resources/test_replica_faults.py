"""Read replicas on real clusters: what outlives which death, and what is left of what cannot live."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from baseplane.drivers.cluster import State
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.resources.projects import monitor as project_monitor
from baseplane.resources.projects import replicas
from baseplane.resources.projects.replicas import ReplicaStatus
from baseplane.resources.replicas import monitor, workflows
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow, queue
from tests.conftest import Client, without_others
from tests.processes import kill
from tests.resources.replicas import (
    ask,
    becomes,
    connect,
    databases,
    in_cluster,
    pid_of,
    remove,
    set_up,
    status,
    until_it_answers,
)
from tests.workflows.crashing import crash


@pytest.fixture(scope="module")
async def alone_here(real_rt: Runtime) -> AsyncIterator[None]:
    async with without_others(real_rt):
        yield


@pytest.fixture(scope="module")
async def ref(real: Client, alone_here: None) -> str:
    return await real.active_project()


@pytest.fixture(scope="module")
async def replica(real: Client, ref: str) -> str:
    """One that tests share: they leave it as they found it."""
    identifier = await set_up(real, ref)
    await real.drain()
    assert await status(real, identifier) == "ACTIVE_HEALTHY"
    return identifier


@pytest.fixture
async def watched(real_rt: Runtime, worker: None) -> AsyncIterator[None]:
    """A worker, and both monitors."""
    watching = [asyncio.create_task(each.watch(real_rt)) for each in (monitor, project_monitor)]
    yield
    for task in watching:
        task.cancel()
    await asyncio.wait(watching)


async def test_its_killed_postmaster_is_started_again(
    real: Client, real_rt: Runtime, local: LocalClusters, replica: str, watched: None
) -> None:
    before = pid_of(local, replica)
    kill(before)
    await until_it_answers(real_rt, replica, "select pg_is_in_recovery()", True)
    await becomes(real, replica, "ACTIVE_HEALTHY")
    assert pid_of(local, replica) != before


async def test_it_answers_while_its_primary_is_dead_and_follows_again(
    real: Client, real_rt: Runtime, local: LocalClusters, ref: str, replica: str, worker: None
) -> None:
    kill(pid_of(local, ref))
    assert await ask(real_rt, replica, "select 1") == 1
    await project_monitor.look(real_rt)
    await real.becomes(ref, "ACTIVE_HEALTHY")
    await ask(real_rt, ref, "create table public.afterwards ()")
    await until_it_answers(real_rt, replica, "select to_regclass('public.afterwards')::text", "afterwards")
    assert await status(real, replica) == "ACTIVE_HEALTHY"


async def test_settings_are_followed(real: Client, real_rt: Runtime, ref: str, replica: str, watched: None) -> None:
    path = f"/v1/projects/{ref}/config/database/postgres"
    for body, connections in (({"max_connections": 90}, "90"), ({}, "60")):
        changed = await real.call("PUT", path, json={**body, "restart_database": True})
        assert changed.status_code == 200, changed.text
        await until_it_answers(real_rt, replica, "show max_connections", connections)
    await becomes(real, replica, "ACTIVE_HEALTHY")


async def test_it_goes_down_and_comes_back_with_its_project(
    real: Client, real_rt: Runtime, local: LocalClusters, ref: str, replica: str, watched: None
) -> None:
    await real.post(f"/v1/projects/{ref}/pause")
    await real.becomes(ref, "INACTIVE")
    assert await local.observe(replica) == State.STOPPED
    with pytest.raises(psycopg.OperationalError, match="it is INACTIVE"):
        await connect(real_rt, replica)
    await real.post(f"/v1/projects/{ref}/restore")
    await until_it_answers(real_rt, replica, "select pg_is_in_recovery()", True)
    await becomes(real, replica, "ACTIVE_HEALTHY")


async def test_one_without_a_free_slot_fails_saying_so_and_is_removed(
    real: Client, real_rt: Runtime, worker: None
) -> None:
    ref = str((await real.create_project())["ref"])
    await real.becomes(ref, "ACTIVE_HEALTHY")
    await in_cluster(
        real_rt, ref, "select count(pg_create_physical_replication_slot('own_' || n)) from generate_series(1, 5) n"
    )
    identifier = await set_up(real, ref)
    await becomes(real, identifier, "INIT_READ_REPLICA_FAILED")
    async with real_rt.database.connection() as db:
        cursor = await db.execute("select cause from replicas where identifier = %s", [identifier])
        assert (await cursor.fetchone()) == (
            "All replication slots of the project are in use: drop one, or raise max_replication_slots.",
        )
    with pytest.raises(psycopg.OperationalError, match=r"it is INIT_READ_REPLICA_FAILED\. All replication slots"):
        await connect(real_rt, identifier)
    await remove(real, ref, identifier)
    await becomes(real, identifier, None)
    assert await in_cluster(real_rt, ref, "select count(*) from pg_replication_slots") == 5


async def test_removing_it_ends_its_sessions_and_leaves_nothing(
    real: Client, real_rt: Runtime, local: LocalClusters, ref: str, worker: None
) -> None:
    identifier = await set_up(real, ref, "us-east-1")
    await becomes(real, identifier, "ACTIVE_HEALTHY")
    async with await connect(real_rt, identifier) as session:
        await remove(real, ref, identifier)
        await becomes(real, identifier, None)
        with pytest.raises(psycopg.OperationalError):
            await session.execute("select 1")
    assert not list(local.layout.clusters.glob(f"*{identifier}*"))
    name = identifier.replace("-", "_")
    assert await in_cluster(real_rt, ref, f"select count(*) from pg_replication_slots where slot_name = '{name}'") == 0


async def test_deleting_the_project_takes_it_along(real: Client, local: LocalClusters, worker: None) -> None:
    ref = str((await real.create_project())["ref"])
    await real.becomes(ref, "ACTIVE_HEALTHY")
    identifier = await set_up(real, ref)
    await becomes(real, identifier, "ACTIVE_HEALTHY")
    pid = pid_of(local, identifier)
    coming = await set_up(real, ref)
    await real.call("DELETE", f"/v1/projects/{ref}")
    async with asyncio.timeout(30):
        while (await real.call("GET", f"/v1/projects/{ref}")).status_code != 404:
            await asyncio.sleep(0.02)
    left = [path for name in (ref, identifier, coming) for path in local.layout.clusters.glob(f"*{name}*")]
    assert left == []
    assert not Path(f"/proc/{pid}/cwd").exists()


async def test_one_that_fell_too_far_behind_is_made_anew(
    real: Client, real_rt: Runtime, local: LocalClusters, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "TRY_AGAIN", timedelta(0))
    ref = str((await real.create_project())["ref"])
    await real.becomes(ref, "ACTIVE_HEALTHY")
    body = {"max_slot_wal_keep_size": "8MB", "max_wal_size": "16MB"}
    changed = await real.call("PUT", f"/v1/projects/{ref}/config/database/postgres", json=body)
    assert changed.status_code == 200, changed.text
    identifier = await set_up(real, ref)
    await becomes(real, identifier, "ACTIVE_HEALTHY")
    await local.stop(identifier)
    for number in range(6):
        await ask(
            real_rt, ref, f"create table public.t_{number} as select repeat('x', 900) from generate_series(1, 9000)"
        )
        await in_cluster(real_rt, ref, "checkpoint")

    async def is_made_anew() -> bool:
        await monitor.look(real_rt)
        async with real_rt.database.connection() as db:
            cursor = await db.execute("select rebuilt_at is not null from replicas where identifier = %s", [identifier])
            return await cursor.fetchone() == (True,) and await status(real, identifier) == "ACTIVE_HEALTHY"

    async with asyncio.timeout(30):
        while not await is_made_anew():
            await asyncio.sleep(0.05)
    assert await ask(real_rt, identifier, "select count(*) from public.t_5") == 9000


EVERY = [
    pytest.param(workflow, position, id=f"{workflow.name}-{step.name}")
    for workflow in (workflows.setup, workflows.restart, workflows.follow, workflows.rebuild, workflows.remove)
    for position, step in enumerate(workflow.steps)
]


async def _begin(real: Client, rt: Runtime, workflow: Workflow, ref: str, replica: str) -> str:
    """Start the workflow as users or the monitor would; gives the replica that it is about."""
    if workflow in (workflows.setup, workflows.remove):
        identifier = await set_up(real, ref)
        if workflow is workflows.remove:
            await real.drain()
            await remove(real, ref, identifier)
        return identifier
    async with rt.database.transaction() as db:
        if workflow is workflows.rebuild:
            begins_as = ReplicaStatus.INIT_READ_REPLICA
            await replicas.settle(db, replica, begins_as, only_from=replicas.UP)
        await queue.start(db, workflow, replica)
    return replica


@pytest.mark.parametrize(("workflow", "position"), EVERY)
async def test_worker_primary_and_standby_may_be_killed_together_around_any_step(
    real: Client, real_rt: Runtime, local: LocalClusters, ref: str, replica: str, workflow: Workflow, position: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    identifier = await _begin(real, real_rt, workflow, ref, replica)
    await crash(real_rt, workflow, identifier, position, "before it is recorded", monkeypatch)
    for name in (ref, identifier):
        if await local.observe(name) == State.RUNNING:
            kill(pid_of(local, name))
    await project_monitor.look(real_rt)
    await real.drain()
    await monitor.look(real_rt)
    await real.drain()
    assert await real.status(ref) == "ACTIVE_HEALTHY"
    if workflow is workflows.remove:
        assert await status(real, identifier) is None
        return
    assert await status(real, identifier) == "ACTIVE_HEALTHY"
    assert await ask(real_rt, identifier, "select pg_is_in_recovery()") is True
    if identifier != replica:
        await remove(real, ref, identifier)
        await real.drain()
    assert [database["identifier"] for database in await databases(real, ref)] == [replica]


async def test_no_slot_is_left_by_all_this(real_rt: Runtime, ref: str, replica: str) -> None:
    assert await in_cluster(real_rt, ref, "select count(*) from pg_replication_slots") == 1
