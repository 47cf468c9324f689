"""Deaths during an upgrade: whoever dies wherever, it ends done or undone, with a project that serves all it had."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from baseplane.drivers.cluster.layout import Layout
from baseplane.resources.upgrades import store
from baseplane.runtime import Runtime
from tests.conftest import Client, working
from tests.deaths import worker_process
from tests.processes import kill_postgres

FILLED = "create table public.orders as select n as id, 'tea ' || n as item from generate_series(1, 1000) n"
CHECKSUM = "select md5(string_agg(o::text, ',' order by id)) as sum from public.orders o"


@pytest.fixture
async def ref(real: Client) -> AsyncIterator[str]:
    ref = await real.active_project()
    await ask(real, ref, FILLED)
    yield ref
    await real.call("DELETE", f"/v1/projects/{ref}")
    await real.drain()


async def ask(real: Client, ref: str, query: str) -> list[dict[str, Any]]:
    answer = await real.query(ref, query)
    assert answer.status_code == 201, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


async def begin(real: Client, ref: str) -> None:
    answer = await real.post(f"/v1/projects/{ref}/upgrade", {"target_version": "18"})
    assert answer.status_code == 201, answer.text


async def told(real: Client, ref: str) -> Any:
    return (await real.get(f"/v1/projects/{ref}/upgrade/status"))["databaseUpgradeStatus"]


async def reached(rt: Runtime, ref: str, place: int) -> None:
    """Wait until the upgrade is at this place, or beyond."""
    async with asyncio.timeout(60):
        while True:
            async with rt.database.connection() as db:
                latest = await store.latest(db, ref)
            if latest and store.PROGRESS.index(latest.progress) >= place:
                return
            await asyncio.sleep(0.002)


async def converges(real: Client, ref: str, before: object) -> None:
    """Done or undone, and in either case it serves with all it had."""
    async with asyncio.timeout(120):
        while await real.status(ref) != "ACTIVE_HEALTHY":
            await asyncio.sleep(0.05)
    engine = (await real.get(f"/v1/projects/{ref}"))["database"]["postgres_engine"]
    end = await told(real, ref)
    assert (engine, end["status"]) in (("18", 1), ("17", 2)), end
    assert await ask(real, ref, CHECKSUM) == before
    assert await ask(real, ref, "select current_setting('server_version_num')::int / 10000 as v") == [
        {"v": int(engine)}
    ]


@pytest.mark.parametrize("place", [1, 4, 5, 7, 8])
async def test_a_worker_killed_at_any_place_is_followed_by_one_that_ends_it(
    real: Client, real_rt: Runtime, ref: str, place: int
) -> None:
    before = await ask(real, ref, CHECKSUM)
    with worker_process(real_rt) as worker:
        await begin(real, ref)
        await reached(real_rt, ref, place)
        worker.kill()
        worker.join()
    async with working(real.queue):
        await converges(real, ref, before)


@pytest.mark.parametrize("place", [2, 5, 6, 8])
async def test_postgres_killed_at_any_place_leaves_a_project_that_serves(
    real: Client, real_rt: Runtime, ref: str, place: int
) -> None:
    before = await ask(real, ref, CHECKSUM)
    async with working(real.queue):
        await begin(real, ref)
        await reached(real_rt, ref, place)
        kill_postgres(Layout(real_rt.settings.data_dir).cluster(ref).home)
        await converges(real, ref, before)
