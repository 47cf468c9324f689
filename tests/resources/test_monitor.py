"""What is, held against what should be: a cluster that stops is brought back, and one that cannot be is not hammered."""

import pytest

from baseplane.database import value
from baseplane.drivers.cluster import State
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.projects import monitor, store
from baseplane.resources.projects.store import Project
from baseplane.runtime import Runtime
from tests.conftest import Client


async def found(rt: Runtime, ref: str) -> Project:
    async with rt.database.connection() as db:
        return await store.get(db, ref)


async def count_runs(rt: Runtime, ref: str) -> int:
    async with rt.database.connection() as db:
        return int(await value(db, "select count(*) from runs where subject = %s", [ref]))


@pytest.fixture
async def ref(api: Client, alone: None) -> str:
    return await api.active_project()


async def test_a_running_project_is_left_alone(rt: Runtime, ref: str) -> None:
    before = await count_runs(rt, ref)
    await monitor.look(rt)
    assert await count_runs(rt, ref) == before


async def test_a_cluster_that_stopped_is_started_again(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str
) -> None:
    await memory.stop(ref)
    await monitor.look(rt)
    project = await found(rt, ref)
    assert (project.status, project.cause) == ("RESTARTING", "Postgres was not running.")
    runs = await count_runs(rt, ref)
    await monitor.look(rt)
    assert await count_runs(rt, ref) == runs
    await api.drain()
    project = await found(rt, ref)
    assert (project.status, project.cause) == ("ACTIVE_HEALTHY", None)
    assert await memory.observe(ref) == State.RUNNING


async def test_a_lost_cluster_is_unhealthy_with_the_cause_and_tried_again_only_later(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str
) -> None:
    spec = memory.specs[ref]
    await memory.remove(ref)
    await monitor.look(rt)
    await api.drain()
    project = await found(rt, ref)
    assert (project.status, project.cause) == ("ACTIVE_UNHEALTHY", f"The data directory of project {ref} is gone.")
    runs = await count_runs(rt, ref)
    for _ in range(3):
        await monitor.look(rt)
    assert await count_runs(rt, ref) == runs

    await memory.create(spec)
    async with rt.database.connection() as db:
        await db.execute(
            "update runs set finished_at = finished_at - %s where subject = %s", [monitor.TRY_AGAIN * 1.1, ref]
        )
    await monitor.look(rt)
    await api.drain()
    project = await found(rt, ref)
    assert (project.status, project.cause) == ("ACTIVE_HEALTHY", None)


async def test_a_paused_project_is_left_alone(api: Client, rt: Runtime, memory: MemoryClusters, ref: str) -> None:
    assert (await api.post(f"/v1/projects/{ref}/pause")).status_code == 200
    await monitor.look(rt)
    await api.drain()
    runs = await count_runs(rt, ref)
    await monitor.look(rt)
    assert await count_runs(rt, ref) == runs
    assert (await found(rt, ref)).status == "INACTIVE"
    assert await memory.observe(ref) == State.STOPPED


async def test_a_monitor_waits_for_no_other(rt: Runtime, memory: MemoryClusters, ref: str) -> None:
    await memory.stop(ref)
    async with rt.database.transaction() as db:
        await db.execute("select pg_advisory_xact_lock(%s)", [monitor.LOCK])
        await monitor.look(rt)
        assert (await found(rt, ref)).status == "ACTIVE_HEALTHY"
    await monitor.look(rt)
    assert (await found(rt, ref)).status == "RESTARTING"
