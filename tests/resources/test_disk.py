"""How much a project may take on disk, and what follows when it takes it."""

import asyncio
import dataclasses
import math

import pytest

from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.disk import watch
from baseplane.resources.disk.store import GB
from baseplane.resources.disk.workflows import PARAMETER
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of

GP3 = {"type": "gp3", "iops": 3000, "size_gb": 8, "throughput_mibps": 125}


async def resize(api: Client, ref: str, size_gb: int) -> int:
    answer = await api.post(f"/v1/projects/{ref}/config/disk", {"attributes": {**GP3, "size_gb": size_gb}})
    return answer.status_code


async def fill(rt: Runtime, memory: MemoryClusters, api: Client, ref: str, used: float) -> None:
    """Let the project take so many gigabytes, and the worker notice."""
    memory.used[ref] = math.ceil(used * GB)
    await watch.measure(rt, ref)
    await watch.look(rt)
    await api.drain()


def is_read_only(memory: MemoryClusters, ref: str) -> bool:
    return memory.specs[ref].settings.get(PARAMETER) == "on"


async def expire_override(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        await db.execute("update disks set override_until = now() where ref = %s", [ref])


@pytest.fixture
async def ref(api: Client, alone: None) -> str:
    return await api.active_project()


@pytest.fixture
def rt(rt: Runtime) -> Runtime:
    """An installation whose disks do not grow on their own."""
    return dataclasses.replace(rt, settings=rt.settings.model_copy(update={"disk_max_size": 8}))


@pytest.fixture
async def growing(rt: Runtime) -> Runtime:
    return dataclasses.replace(rt, settings=rt.settings.model_copy(update={"disk_max_size": 64}))


async def test_a_new_project_has_what_the_operator_gives(api: Client, ref: str) -> None:
    assert await api.get(f"/v1/projects/{ref}/config/disk") == {"attributes": GP3}
    assert await api.get(f"/v1/projects/{ref}/config/disk/autoscale") == {
        "growth_percent": 50,
        "min_increment_gb": None,
        "max_size_gb": 8,
    }


async def test_utilization_is_measured(api: Client, rt: Runtime, memory: MemoryClusters, ref: str) -> None:
    early = await api.call("GET", f"/v1/projects/{ref}/config/disk/util")
    assert (early.status_code, early.headers["retry-after"]) == (503, "5")
    memory.used[ref] = 3 * GB
    await watch.look(rt)
    found = await api.get(f"/v1/projects/{ref}/config/disk/util")
    assert found["metrics"] == {"fs_size_bytes": 8 * GB, "fs_avail_bytes": 5 * GB, "fs_used_bytes": 3 * GB}


async def test_attributes_are_recorded_and_a_larger_disk_is_larger(growing: Runtime, ref: str) -> None:
    async with client_of(growing) as api:
        ref = await api.active_project()
        wanted = {"type": "io2", "iops": 5000, "size_gb": 20}
        answer = await api.post(f"/v1/projects/{ref}/config/disk", {"attributes": wanted})
        assert (answer.status_code, answer.content) == (201, b"")
        found = await api.get(f"/v1/projects/{ref}/config/disk")
        assert found["attributes"] == wanted
        assert found["last_modified_at"]


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({**GP3, "size_gb": 9}, "attributes.size_gb: must be at most 8 here"),
        ({**GP3, "size_gb": 2}, "attributes.size_gb: the project takes 3.0 GB; give it at least 4"),
        ({**GP3, "size_gb": 0}, "attributes.size_gb: "),
        ({**GP3, "iops": 2**63}, "attributes.iops: "),
        ({"type": "gp3", "iops": 3000}, "attributes.size_gb: is required"),
        ({**GP3, "type": "floppy"}, "attributes: "),
        (None, "attributes: "),
    ],
)
async def test_what_cannot_be_had_is_refused_by_field_and_rule(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str, attributes: object, said: str
) -> None:
    await fill(rt, memory, api, ref, 3)
    answer = await api.post(f"/v1/projects/{ref}/config/disk", {"attributes": attributes})
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["message"]
    assert await api.get(f"/v1/projects/{ref}/config/disk") == {"attributes": GP3}


async def test_a_fifth_change_within_a_day_is_refused_with_the_time_of_the_next(api: Client, ref: str) -> None:
    assert [await resize(api, ref, size) for size in (5, 6, 7, 8, 7)] == [201, 201, 201, 201, 409]
    answer = await api.post(f"/v1/projects/{ref}/config/disk", {"attributes": GP3})
    assert "The next change is possible at 20" in answer.json()["message"]


async def test_a_disk_grows_by_half_when_it_is_nearly_full_up_to_the_operators_limit(
    api: Client, growing: Runtime, memory: MemoryClusters, ref: str
) -> None:
    sizes = []
    for part in (0.89, 0.9, 0.9, 0.99, 0.9, 1.0):
        size = (await api.get(f"/v1/projects/{ref}/config/disk"))["attributes"]["size_gb"]
        await fill(growing, memory, api, ref, part * size)
        sizes.append((await api.get(f"/v1/projects/{ref}/config/disk"))["attributes"]["size_gb"])
    assert sizes == [8, 12, 18, 27, 41, 41]  # the last would be the fifth within a day
    assert is_read_only(memory, ref)


async def test_a_full_project_is_read_only_until_it_is_not_full(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str
) -> None:
    path = f"/v1/projects/{ref}/readonly"
    off = {"enabled": False, "override_enabled": False, "override_active_until": ""}
    await fill(rt, memory, api, ref, 7.59)
    assert (await api.get(path), is_read_only(memory, ref)) == (off, False)
    await fill(rt, memory, api, ref, 7.6)
    assert (await api.get(path), is_read_only(memory, ref)) == ({**off, "enabled": True}, True)
    await fill(rt, memory, api, ref, 7.5)
    assert (await api.get(path), is_read_only(memory, ref)) == (off, False)


async def test_read_only_survives_a_pause_and_a_change_of_settings(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str
) -> None:
    await fill(rt, memory, api, ref, 8)
    for verb in ("pause", "restore"):
        assert (await api.post(f"/v1/projects/{ref}/{verb}")).status_code == 200
        await api.drain()
    assert is_read_only(memory, ref)
    assert await api.get(f"/v1/projects/{ref}/config/database/postgres") == {}


async def test_an_override_lifts_it_and_ends(api: Client, rt: Runtime, memory: MemoryClusters, ref: str) -> None:
    await fill(rt, memory, api, ref, 8)
    answer = await override(api, ref)
    assert (answer, is_read_only(memory, ref)) == (201, False)
    found = await api.get(f"/v1/projects/{ref}/readonly")
    assert (found["enabled"], found["override_enabled"]) == (False, True)
    await fill(rt, memory, api, ref, 8)
    assert not is_read_only(memory, ref)
    await expire_override(rt, ref)
    await watch.look(rt)  # whichever worker is there by then
    await api.drain()
    assert is_read_only(memory, ref)
    off = {"enabled": True, "override_enabled": False, "override_active_until": ""}
    assert await api.get(f"/v1/projects/{ref}/readonly") == off


async def override(api: Client, ref: str) -> int:
    """Ask for the override while a worker carries it out."""
    asked = asyncio.create_task(api.post(f"/v1/projects/{ref}/readonly/temporary-disable"))
    while not asked.done():
        await api.drain()
        await asyncio.sleep(0)
    return asked.result().status_code


async def test_a_sleeping_or_paused_project_is_not_measured(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str
) -> None:
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    await watch.look(rt)
    assert (await api.call("GET", f"/v1/projects/{ref}/config/disk/util")).status_code == 503


async def test_one_worker_looks_at_a_time(api: Client, rt: Runtime, ref: str) -> None:
    async with rt.database.transaction() as db:
        await db.execute("select pg_advisory_xact_lock(%s)", [watch.LOCK])
        await watch.look(rt)
        assert (await api.call("GET", f"/v1/projects/{ref}/config/disk/util")).status_code == 503
