"""Compute sizes, as add-ons; restarts that are asked for."""

import asyncio
from typing import Any

import httpx
import psycopg
import pytest

from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.runtime import Runtime
from tests.conftest import Client, Limited, working


def path(ref: str) -> str:
    return f"/v1/projects/{ref}/billing/addons"


async def choose(client: Client, ref: str, variant: str, kind: str = "compute_instance") -> httpx.Response:
    return await client.call("PATCH", path(ref), json={"addon_variant": variant, "addon_type": kind})


async def selected(client: Client, ref: str) -> list[str]:
    return [addon["variant"]["id"] for addon in (await client.get(path(ref)))["selected_addons"]]


async def show(client: Client, ref: str, setting: str) -> str:
    answer = await client.query(ref, f"select current_setting('{setting}') as value")
    assert answer.status_code == 201, answer.text
    return str(answer.json()[0]["value"])


async def test_a_size_that_was_asked_for_is_the_selected_add_on(api: Client) -> None:
    assert await selected(api, await api.active_project()) == []
    assert await selected(api, await api.active_project(desired_instance_size="small")) == ["ci_small"]


async def test_a_real_project_gets_what_its_size_gives(real: Client, real_rt: Runtime) -> None:
    ref = await real.active_project()
    assert isinstance(real_rt.door, TlsDoor)
    async with await real_rt.door.connect(ref, "postgres", "correct horse") as session, working(real.queue):
        await session.execute("create table public.kept as select 42 as answer")
        resizing = asyncio.create_task(choose(real, ref, "ci_large"))
        seen = {await real.status(ref)}
        while not resizing.done():
            seen.add(await real.status(ref))
            await asyncio.sleep(0.001)
        answer = await resizing
        assert (answer.status_code, answer.content) == (200, b"")
        assert seen == {"ACTIVE_HEALTHY", "RESIZING"}
        with pytest.raises(psycopg.OperationalError):
            await session.execute("select 1")
        await session.close()
        assert [await show(real, ref, name) for name in ("shared_buffers", "max_connections")] == ["1GB", "160"]
        assert await selected(real, ref) == ["ci_large"]
        assert (await real.query(ref, "select answer from public.kept")).json() == [{"answer": 42}]
        gone = await real.call("DELETE", f"{path(ref)}/ci_large")
        assert gone.status_code == 200, gone.text
        assert [await show(real, ref, name) for name in ("shared_buffers", "max_connections")] == ["64MB", "60"]
        assert await selected(real, ref) == []


async def test_a_size_that_postgres_does_not_come_up_with_is_taken_back_with_the_cause(
    real: Client, real_rt: Runtime
) -> None:
    ref = await real.active_project(desired_instance_size="micro")
    sockets = Layout(real_rt.settings.data_dir).cluster(ref).sockets
    async with working(real.queue):
        answer = await choose(real, ref, "ci_48xlarge_high_memory")  # 384 GB of shared memory
        assert answer.status_code == 409, answer.text
        assert "could not map anonymous shared memory" in answer.json()["message"]
        assert str(sockets) not in answer.text
        assert await real.status(ref) == "ACTIVE_HEALTHY"
        assert await selected(real, ref) == ["ci_micro"]
        assert await show(real, ref, "shared_buffers") == "128MB"


async def test_settings_that_do_not_fit_the_new_size_keep_it_away(real: Client) -> None:
    ref = await real.active_project(desired_instance_size="large")
    async with working(real.queue):
        put = await real.call("PUT", f"/v1/projects/{ref}/config/database/postgres", json={"shared_buffers": "2GB"})
        assert put.status_code == 200, put.text
        answer = await choose(real, ref, "ci_micro")
        assert (answer.status_code, "the compute size micro has 1024 MB in all" in answer.text) == (409, True)
        assert await selected(real, ref) == ["ci_large"]
        assert await real.status(ref) == "ACTIVE_HEALTHY"


async def test_a_paused_project_is_restored_with_the_size_that_was_chosen_meanwhile(
    api: Client, memory: MemoryClusters
) -> None:
    ref = await api.active_project()
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    assert (await choose(api, ref, "ci_small")).status_code == 200
    assert await selected(api, ref) == ["ci_small"]
    await api.post(f"/v1/projects/{ref}/restore")
    await api.drain()
    assert memory.started[ref].size == "small"


async def test_the_size_it_has_already_changes_nothing(api: Client) -> None:
    ref = await api.active_project(desired_instance_size="small")
    assert (await choose(api, ref, "ci_small")).status_code == 200
    assert await api.status(ref) == "ACTIVE_HEALTHY"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "addon_variant"),
        ({"addon_variant": "ci_nano", "addon_type": "compute_instance"}, "addon_variant"),
        ({"addon_variant": "ci_small"}, "addon_type"),
        ({"addon_variant": "ci_small", "addon_type": "pitr"}, "addon_type: ci_small is a variant of compute_instance"),
        ({"addon_variant": "pitr_7", "addon_type": "pitr"}, "pitr: which backups are kept is the operator's choice"),
        ({"addon_variant": "ipv4_default", "addon_type": "ipv4"}, "ipv4: the address of all projects"),
        ({"addon_variant": "cd_default", "addon_type": "custom_domain"}, "custom_domain: a domain needs no add-on"),
    ],
)
async def test_what_is_no_add_on_here_says_why(api: Client, body: dict[str, Any], said: str) -> None:
    ref = await api.active_project()
    refused = await api.call("PATCH", path(ref), json=body)
    assert refused.status_code == 400
    assert refused.json()["message"].startswith(said), refused.text


async def test_an_add_on_that_a_project_does_not_have_cannot_be_removed(api: Client) -> None:
    ref = await api.active_project()
    assert (await api.call("DELETE", f"{path(ref)}/ci_small")).status_code == 404
    assert (await api.call("DELETE", f"{path(ref)}/pitr_7")).status_code == 400
    assert (await api.call("DELETE", f"{path(ref)}/ci_tiny")).status_code == 400


async def test_only_the_operators_sizes_are_offered(real: Client, limited: Limited) -> None:
    ref = await real.active_project(desired_instance_size="small")
    async with limited(sizes=("micro", "small")) as client:
        (available,) = (await client.get(path(ref)))["available_addons"]
        assert [variant["id"] for variant in available["variants"]] == ["ci_micro", "ci_small"]
        refused = await choose(client, ref, "ci_large")
        assert refused.json()["message"] == (
            "addon_variant: ci_large is not offered here; choose one of ci_micro, ci_small"
        )
    async with limited(sizes=("micro",)) as client:
        assert await selected(client, ref) == ["ci_small"]  # what it has is told all the same
    async with limited(sizes=("small", "large")) as client:
        smallest = await client.call("DELETE", f"{path(ref)}/ci_small")
        assert (smallest.status_code, "smallest compute size" in smallest.text) == (409, True)


async def test_a_restart_ends_sessions_and_brings_the_project_back_with_what_waited(
    real: Client, real_rt: Runtime
) -> None:
    ref = await real.active_project()
    assert isinstance(real_rt.door, TlsDoor)
    async with await real_rt.door.connect(ref, "postgres", "correct horse") as session, working(real.queue):
        later = {"max_connections": 77, "restart_database": False}
        await real.call("PUT", f"/v1/projects/{ref}/config/database/postgres", json=later)
        assert await show(real, ref, "max_connections") == "60"
        answer = await real.post(f"/v1/projects/{ref}/restart")
        assert (answer.status_code, answer.content) == (200, b"")
        assert await real.status(ref) == "RESTARTING"
        again = await real.post(f"/v1/projects/{ref}/restart")
        assert (again.status_code, "it is RESTARTING. Wait until" in again.text) == (400, True)
        await real.becomes(ref, "ACTIVE_HEALTHY")
        with pytest.raises(psycopg.OperationalError):
            await session.execute("select 1")
        await session.close()
        assert await show(real, ref, "max_connections") == "77"


async def test_a_paused_project_is_not_restarted(api: Client) -> None:
    ref = await api.active_project()
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    refused = await api.post(f"/v1/projects/{ref}/restart")
    assert (refused.status_code, "Restore it: that starts it." in refused.text) == (400, True)
