"""Deaths while webhooks are on their way: whoever dies, what was committed arrives."""

import asyncio
import os
import signal

from aiohttp import web

from baseplane.resources.projects import store
from baseplane.runtime import Runtime
from tests.receiver import Received
from tests.resources.webhooks import Hooked, delivering, worker_process


async def test_what_is_on_its_way_when_the_worker_is_killed_is_sent_again(idle: Hooked, real_rt: Runtime) -> None:
    table = await idle.table(timeout_ms=20_000)

    async def hang(_: Received) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    idle.receiver.answers[f"/{table}"] = [200, hang]
    await idle.sql(f"insert into {table} (item) select n from generate_series(1, 3) n")
    with worker_process(real_rt) as worker:
        await idle.receiver.expect(f"/{table}", 2, within=30)
        worker.kill()
        worker.wait()
    with worker_process(real_rt):
        await idle.receiver.expect(f"/{table}", 4, within=30)
        await idle.empty()
    order = [request.json["record"]["id"] for request in idle.receiver.at(f"/{table}")]
    assert order in ([1, 2, 2, 3], [1, 2, 1, 2, 3])  # the first answer may not have been written down


async def test_nothing_is_lost_and_nothing_overtakes_over_many_deaths(idle: Hooked, real_rt: Runtime) -> None:
    table, count = await idle.table(), 600
    await idle.sql(f"insert into {table} (item) select n from generate_series(1, {count}) n")
    for seen in (50, 150, 300):
        with worker_process(real_rt):
            await idle.receiver.expect(f"/{table}", seen, within=30)
    with worker_process(real_rt):
        async with asyncio.timeout(60):
            await idle.empty()
    order = list(dict.fromkeys(request.json["record"]["id"] for request in idle.receiver.at(f"/{table}")))
    assert order == list(range(1, count + 1))


async def test_webhooks_survive_a_killed_postgres(idle: Hooked, real_rt: Runtime) -> None:
    """The worker lives on, remembers what it has sent, and comes back to the database by itself."""
    table, held = await idle.table(timeout_ms=20_000), asyncio.Event()

    async def hold(_: Received) -> web.StreamResponse:
        await held.wait()
        return web.Response(text="late")

    idle.receiver.answers[f"/{table}"] = [hold]
    async with delivering(real_rt):
        await idle.sql(f"insert into {table} (item) select n from generate_series(1, 3) n")
        await idle.receiver.expect(f"/{table}", 1)
        data = real_rt.settings.data_dir / "clusters" / idle.ref / "data"
        os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        held.set()
        async with real_rt.database.connection() as db:
            spec = await store.cluster_spec(db, real_rt.keyring, idle.ref)
        await real_rt.clusters.start(spec)
        await idle.receiver.expect(f"/{table}", 3)
        await idle.empty()
    assert [request.json["record"]["id"] for request in idle.receiver.at(f"/{table}")] == [1, 2, 3]


async def test_what_a_paused_project_has_queued_is_sent_when_it_is_back(idle: Hooked, real_rt: Runtime) -> None:
    table = await idle.table()
    await idle.sql(f"insert into {table} (item) values ('a')")
    await idle.api.post(f"/v1/projects/{idle.ref}/pause")
    await idle.api.drain()
    async with delivering(real_rt):
        await asyncio.sleep(0)
        await idle.api.post(f"/v1/projects/{idle.ref}/restore")
        await idle.api.drain()
        await idle.receiver.expect(f"/{table}", 1)
        await idle.empty()


async def test_a_project_can_be_paused_while_its_webhooks_hang(idle: Hooked, real_rt: Runtime) -> None:
    table = await idle.table(timeout_ms=20_000)

    async def hang(_: Received) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    idle.receiver.answers[f"/{table}"] = [hang]
    async with delivering(real_rt):
        await idle.sql(f"insert into {table} (item) values ('a')")
        await idle.receiver.expect(f"/{table}", 1)
        await idle.api.post(f"/v1/projects/{idle.ref}/pause")
        await idle.api.drain()
        assert await idle.api.status(idle.ref) == "INACTIVE"
        await idle.api.post(f"/v1/projects/{idle.ref}/restore")
        await idle.api.drain()
        await idle.receiver.expect(f"/{table}", 2)
        await idle.empty()
