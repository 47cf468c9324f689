"""Read replicas over the API, on clusters that are only remembered: what is asked for, refused, told, and looked after."""

import dataclasses

import pytest

from baseplane.database import value
from baseplane.drivers.cluster import DriverUnavailable, StandbyRefused, State
from baseplane.drivers.cluster.memory import MemoryClusters, MemoryStandbys
from baseplane.resources.organizations.entitlements import READ_REPLICAS
from baseplane.resources.projects import replicas, sleep
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


async def look(api: Client, rt: Runtime) -> None:
    await monitor.look(rt)
    await api.drain()


async def test_it_is_listed_from_the_request_on(api: Client, ref: str) -> None:
    identifier = await set_up(api, ref, "ap-southeast-1")
    assert identifier.startswith(f"{ref}-rr-ap-southeast-1-")
    (listed,) = await databases(api, ref)
    assert listed["status"] == "INIT_READ_REPLICA"
    await api.drain()
    (listed,) = await databases(api, ref)
    assert listed == {
        "infra_compute_size": "nano",
        "region": "ap-southeast-1",
        "status": "ACTIVE_HEALTHY",
        "cloud_provider": "AWS",
        "identifier": identifier,
        "type": "READ_REPLICA",
    }


async def test_its_way_in_is_told_once_it_serves(api: Client, ref: str) -> None:
    path = f"/v1/projects/{ref}/config/database/pooler"
    identifier = await set_up(api, ref)
    assert [way["identifier"] for way in await api.get(path)] == [ref]
    await api.drain()
    primary, way = await api.get(path)
    assert (way["identifier"], way["database_type"]) == (identifier, "READ_REPLICA")
    assert way["db_user"] == f"postgres.{identifier}"
    assert way["db_user"] in way["connection_string"]
    assert primary["database_type"] == "PRIMARY"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "read_replica_region"),
        ({"read_replica_region": None}, "read_replica_region"),
        ({"read_replica_region": "mars-north-1"}, "read_replica_region"),
    ],
)
async def test_a_region_that_is_none_is_refused(api: Client, ref: str, body: dict[str, object], words: str) -> None:
    answer = await api.post(f"/v1/projects/{ref}/read-replicas/setup", body)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert await databases(api, ref) == []


async def test_a_region_that_the_operator_does_not_offer_is_refused(api: Client, rt: Runtime, ref: str) -> None:
    rt.settings.__dict__["regions"] = ("eu-west-1",)
    try:
        answer = await api.post(f"/v1/projects/{ref}/read-replicas/setup", {"read_replica_region": "us-east-1"})
    finally:
        rt.settings.__dict__["regions"] = ()
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("read_replica_region: us-east-1 is not offered here")


async def test_there_are_so_many_and_no_more(api: Client, ref: str) -> None:
    for _ in range(READ_REPLICAS):
        await set_up(api, ref)
    answer = await api.post(f"/v1/projects/{ref}/read-replicas/setup", {"read_replica_region": "us-east-1"})
    assert (answer.status_code, "at most 4 read replicas" in answer.json()["message"]) == (400, True)
    await api.drain()
    assert {database["status"] for database in await databases(api, ref)} == {"ACTIVE_HEALTHY"}


async def test_a_paused_project_gets_none(api: Client, ref: str) -> None:
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    answer = await api.post(f"/v1/projects/{ref}/read-replicas/setup", {"read_replica_region": "us-east-1"})
    assert answer.status_code == 400
    assert "it is INACTIVE. Restore it first." in answer.json()["message"]


async def test_only_replicas_of_the_project_are_removed(api: Client, stranger: Client, ref: str, replica: str) -> None:
    path = f"/v1/projects/{ref}/read-replicas/remove"
    primary = await api.post(path, {"database_identifier": ref})
    assert (primary.status_code, "names the primary" in primary.json()["message"]) == (400, True)
    for unknown in ("", "x\u00e9", replica[:-5] + "zzzzz"):
        assert (await api.post(path, {"database_identifier": unknown})).status_code == 404
    assert (await api.post(path, {"database_identifier": "a\0b"})).status_code == 400
    other = await api.active_project()
    elsewhere = f"/v1/projects/{other}/read-replicas/remove"
    assert (await api.post(elsewhere, {"database_identifier": replica})).status_code == 404
    assert (await stranger.post(path, {"database_identifier": replica})).status_code == 404
    await api.drain()
    assert await status(api, replica) == "ACTIVE_HEALTHY"


async def test_removing_it_leaves_nothing(api: Client, memory: MemoryClusters, ref: str, replica: str) -> None:
    for _ in range(2):
        await remove(api, ref, replica)
        assert await status(api, replica) == "GOING_DOWN"
    await api.drain()
    assert await databases(api, ref) == []
    assert (replica in memory.specs, memory.slots) == (False, {})
    assert await api.status(ref) == "ACTIVE_HEALTHY"


async def test_one_that_cannot_come_up_says_why_and_can_be_removed(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> bool:
        raise StandbyRefused("All replication slots of the project are in use.")

    with monkeypatch.context() as patch:
        patch.setattr(MemoryStandbys, "fill", refuse)
        identifier = await set_up(api, ref)
        await api.drain()
    assert await status(api, identifier) == "INIT_READ_REPLICA_FAILED"
    assert (await found(rt, identifier)).cause == "All replication slots of the project are in use."
    await look(api, rt)
    assert await status(api, identifier) == "INIT_READ_REPLICA_FAILED"
    await remove(api, ref, identifier)
    await api.drain()
    assert await databases(api, ref) == []


async def test_a_copy_that_breaks_off_again_and_again_is_given_up(
    api: Client, rt: Runtime, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_off(*_: object) -> bool:
        raise DriverUnavailable("Copying the primary broke off: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(MemoryStandbys, "fill", break_off)
        identifier = await set_up(api, ref)
        await api.drain()
    assert await status(api, identifier) == "INIT_READ_REPLICA_FAILED"
    assert (await found(rt, identifier)).cause == "Copying the primary broke off: No space left on device"


async def test_removing_it_breaks_off_its_setup(api: Client, memory: MemoryClusters, ref: str) -> None:
    identifier = await set_up(api, ref)
    await remove(api, ref, identifier)
    await api.drain()
    assert await databases(api, ref) == []
    assert identifier not in memory.specs


async def test_it_goes_down_and_comes_back_with_its_project(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str, replica: str
) -> None:
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    assert (await api.status(ref), await status(api, replica)) == ("INACTIVE", "GOING_DOWN")
    assert await memory.observe(replica) == State.STOPPED
    await look(api, rt)
    assert await memory.observe(replica) == State.STOPPED
    await api.post(f"/v1/projects/{ref}/restore")
    await api.drain()
    assert await status(api, replica) == "RESTARTING"
    await look(api, rt)
    assert await status(api, replica) == "ACTIVE_HEALTHY"
    assert await memory.observe(replica) == State.RUNNING


async def test_it_is_removed_from_a_paused_project(api: Client, memory: MemoryClusters, ref: str, replica: str) -> None:
    await api.post(f"/v1/projects/{ref}/pause")
    await remove(api, ref, replica)
    await api.drain()
    assert await databases(api, ref) == []
    assert replica not in memory.specs


async def test_it_goes_with_a_project_that_is_deleted(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str, replica: str
) -> None:
    coming = await set_up(api, ref)
    await api.call("DELETE", f"/v1/projects/{ref}")
    await api.drain()
    assert not {ref, replica, coming} & set(memory.specs)
    async with rt.database.connection() as db:
        assert await value(db, "select count(*) from replicas where ref = %s", [ref]) == 0


async def test_pausing_breaks_off_a_setup_which_says_so(api: Client, rt: Runtime, ref: str) -> None:
    identifier = await set_up(api, ref)
    async with rt.database.connection() as db:  # as if a worker had begun it
        await db.execute("update runs set state = 'running' where subject = %s", [identifier])
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    assert await api.status(ref) == "INACTIVE"
    replica = await found(rt, identifier)
    assert (replica.status, "paused" in (replica.cause or "") or "PAUSING" in (replica.cause or "")) == (
        "INIT_READ_REPLICA_FAILED",
        True,
    )


async def test_a_project_with_replicas_does_not_sleep(api: Client, rt: Runtime, ref: str, replica: str) -> None:
    async with rt.database.connection() as db:
        await db.execute("update projects set used_at = now() - interval '1 day' where ref = %s", [ref])
        sleeps = rt.settings.model_copy(update={"sleep_after": 20.0})  # not what other tests share
        await sleep.look(dataclasses.replace(rt, settings=sleeps))
        runs = "select count(*) from runs where workflow = 'project.sleep' and subject = %s"
        assert await value(db, runs, [ref]) == 0
