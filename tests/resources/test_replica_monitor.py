"""Read replicas held against what they should be, on clusters that are only remembered."""

from datetime import timedelta

import pytest

from baseplane.database import value
from baseplane.drivers.cluster import Link, Slot, StandbySpec
from baseplane.drivers.cluster.memory import MemoryClusters, MemoryStandbys
from baseplane.resources.projects import replicas
from baseplane.resources.projects.replicas import Replica
from baseplane.resources.replicas import monitor
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.replicas import databases, remove, set_up, status


@pytest.fixture
async def ref(api: Client, alone: None) -> str:
    return await api.active_project()


@pytest.fixture
async def replica(api: Client, ref: str) -> str:
    """One that serves."""
    identifier = await set_up(api, ref)
    await api.drain()
    assert await status(api, identifier) == "ACTIVE_HEALTHY"
    return identifier


async def found(rt: Runtime, identifier: str) -> Replica:
    async with rt.database.connection() as db:
        return await replicas.get(db, identifier)


async def change(rt: Runtime, identifier: str, assignment: str) -> None:
    async with rt.database.connection() as db:
        await db.execute(f"update replicas set {assignment} where identifier = %s".encode(), [identifier])


async def look(api: Client, rt: Runtime) -> None:
    await monitor.look(rt)
    await api.drain()


async def test_a_stopped_one_is_started_again(api: Client, rt: Runtime, memory: MemoryClusters, replica: str) -> None:
    await memory.stop(replica)
    await monitor.look(rt)
    assert ((await found(rt, replica)).status, (await found(rt, replica)).cause) == (
        "RESTARTING",
        "Postgres was not running.",
    )
    await api.drain()
    assert ((await found(rt, replica)).status, (await found(rt, replica)).cause) == ("ACTIVE_HEALTHY", None)


async def test_how_it_follows_is_measured(rt: Runtime, replica: str) -> None:
    await change(rt, replica, "measured_at = null, streamed_at = null, bytes_behind = null")
    await monitor.look(rt)
    measured = await found(rt, replica)
    assert (measured.bytes_behind, measured.seconds_behind) == (0, 0)
    assert measured.measured_at is not None
    assert measured.streamed_at is not None
    assert measured.streamed_at >= measured.measured_at
    await monitor.look(rt)
    assert (await found(rt, replica)).measured_at == measured.measured_at


@pytest.mark.parametrize("loss", ["its slot", "its files"])
async def test_what_fell_behind_or_was_lost_is_made_anew_once(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str, replica: str, loss: str
) -> None:
    async def lose() -> None:
        if loss == "its slot":
            memory.slots[replica] = Slot.LOST
            await change(rt, replica, "measured_at = null")
        else:
            await memory.remove(replica)
        await monitor.look(rt)

    await lose()
    assert (await found(rt, replica)).status == "INIT_READ_REPLICA"
    await api.drain()
    assert (await found(rt, replica)).status == "ACTIVE_HEALTHY"
    assert (memory.slots[replica], replica in memory.running) == (Slot.KEPT, True)

    await lose()
    failed = await found(rt, replica)
    assert (failed.status, "made anew" in (failed.cause or "")) == ("INIT_READ_REPLICA_FAILED", True)
    await api.drain()
    assert (memory.slots, replica in memory.specs) == ({}, False)
    await remove(api, ref, replica)
    await api.drain()
    assert await databases(api, ref) == []


async def test_one_that_fell_behind_long_after_is_made_anew_again(
    api: Client, rt: Runtime, memory: MemoryClusters, replica: str
) -> None:
    long_ago = monitor.REST + timedelta(minutes=1)
    await change(rt, replica, f"rebuilt_at = now() - interval '{long_ago.total_seconds()} s'")
    await memory.remove(replica)
    await look(api, rt)
    assert (await found(rt, replica)).status == "ACTIVE_HEALTHY"


async def test_settings_of_the_project_are_followed(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str, replica: str
) -> None:
    async with rt.database.connection() as db:
        await db.execute("""update projects set settings = '{"max_connections": 80}' where ref = %s""", [ref])
    await change(rt, replica, "measured_at = null")
    await look(api, rt)
    assert memory.started[replica].settings == {"max_connections": "80"}
    assert (await found(rt, replica)).status == "ACTIVE_HEALTHY"


async def test_one_that_does_not_stream_is_not_called_healthy_for_long(
    api: Client, rt: Runtime, memory: MemoryClusters, replica: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: object, spec: StandbySpec) -> Link:
        return Link(Slot.KEPT, streams=False, bytes=10_000, seconds=70.0)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryStandbys, "link", silent)
        await change(rt, replica, "measured_at = null")
        await monitor.look(rt)
        assert (await found(rt, replica)).status == "ACTIVE_HEALTHY"
        await change(rt, replica, "measured_at = null, streamed_at = now() - interval '2 minutes'")
        await monitor.look(rt)
        unhealthy = await found(rt, replica)
        assert (unhealthy.status, unhealthy.cause) == ("ACTIVE_UNHEALTHY", "It does not stream from its primary.")
        assert (unhealthy.bytes_behind, unhealthy.seconds_behind) == (10_000, 70.0)
    await api.drain()
    assert (await found(rt, replica)).status == "ACTIVE_HEALTHY"


async def test_what_is_being_done_to_it_is_not_disturbed(api: Client, rt: Runtime, ref: str) -> None:
    identifier = await set_up(api, ref)
    await monitor.look(rt)
    async with rt.database.connection() as db:
        assert await value(db, "select count(*) from runs where subject = %s", [identifier]) == 1
