"""Projects that nobody uses, on real clusters behind a real ingress."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from baseplane import app
from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster import State
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.errors import Unavailable
from baseplane.resources.access import sweeper
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.disk.store import GB
from baseplane.resources.doors import presence
from baseplane.resources.gateway.waking import Waker
from baseplane.resources.projects import monitor, sleep, store
from baseplane.runtime import Runtime
from baseplane.workflows import journal
from tests.conftest import Client, client_of, open_door, working
from tests.resources.metrics import scrape
from tests.resources.rest_door import opened


@pytest.fixture(scope="module")
async def rt(real_rt: Runtime) -> AsyncIterator[Runtime]:
    """An installation with an ingress and a worker of its own, whose projects sleep: not those that slow tests share."""
    settings = real_rt.settings.model_copy(update={"sleep_after": 20.0})
    authority = Authority(app.Paths(settings.data_dir).authority)
    rt = dataclasses.replace(real_rt, settings=settings)
    ingress = app.build_ingress(rt)
    yield dataclasses.replace(rt, door=await open_door(ingress, authority))
    await ingress.close()


@pytest.fixture(scope="module")
async def client(rt: Runtime) -> AsyncIterator[Client]:
    async with client_of(rt) as client:
        yield client


@pytest.fixture
async def worker(client: Client) -> AsyncIterator[None]:
    async with working(client.queue):
        yield


@pytest.fixture
async def asleep(rt: Runtime, client: Client) -> str:
    ref = await client.active_project()
    await leave_alone(rt, ref)
    await sleep.look(rt)
    await client.drain()
    assert await rt.clusters.observe(ref) == State.STOPPED
    return ref


async def leave_alone(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        await db.execute("update projects set used_at = now() - interval '1 hour' where ref = %s", [ref])


async def connect(rt: Runtime, ref: str) -> psycopg.AsyncConnection[Any]:
    assert isinstance(rt.door, TlsDoor)
    return await rt.door.connect(ref, "postgres", "correct horse")


async def test_a_sleeping_project_is_healthy_and_wakes_for_whoever_comes(
    rt: Runtime, client: Client, asleep: str, worker: None
) -> None:
    assert await client.status(asleep) == "ACTIVE_HEALTHY"
    async with await connect(rt, asleep) as session:
        await session.execute("select 1")
    assert await rt.clusters.observe(asleep) == State.RUNNING


async def test_many_who_come_at_once_are_all_let_in(rt: Runtime, asleep: str, worker: None) -> None:
    sessions = await asyncio.gather(*(connect(rt, asleep) for _ in range(5)))
    for session in sessions:
        await session.close()


async def test_a_query_over_the_api_wakes_it(client: Client, asleep: str, worker: None) -> None:
    assert (await client.query(asleep, "select 1 as n")).json() == [{"n": 1}]


async def test_a_request_that_needs_the_database_wakes_it(
    rt: Runtime, asleep: str, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    waker, resolver = Waker(rt), Resolver(rt)
    hearing = asyncio.create_task(resolver.attend())
    assert (await resolver.project(asleep)).asleep
    await waker.awaken(await resolver.project(asleep))
    assert await rt.clusters.observe(asleep) == State.RUNNING
    async with asyncio.timeout(1):
        while (await resolver.project(asleep)).asleep:
            await asyncio.sleep(0.01)
    monkeypatch.setattr(sleep, "awaken", None)  # nobody is asked again so soon
    await waker.awaken(await resolver.project(asleep))
    hearing.cancel()
    await asyncio.wait([hearing])


async def test_a_new_password_wakes_it(rt: Runtime, client: Client, asleep: str, worker: None) -> None:
    path = f"/v1/projects/{asleep}/database/password"
    answer = await client.call("PATCH", path, json={"password": "battery staple"})
    assert answer.status_code == 200, answer.text
    assert isinstance(rt.door, TlsDoor)
    async with await rt.door.connect(asleep, "postgres", "battery staple"):
        pass


async def test_enforcing_tls_wakes_it(client: Client, asleep: str, worker: None) -> None:
    body = {"requestedConfig": {"database": True}}
    answer = await client.call("PUT", f"/v1/projects/{asleep}/ssl-enforcement", json=body)
    assert answer.json() == {"currentConfig": {"database": True}, "appliedSuccessfully": True}


async def test_restricting_networks_lets_it_sleep(rt: Runtime, client: Client, asleep: str, worker: None) -> None:
    path = f"/v1/projects/{asleep}/network-restrictions/apply"
    assert (await client.post(path, {"dbAllowedCidrs": []})).json()["status"] == "applied"
    with pytest.raises(Unavailable, match=r"in none of the networks .* HINT: Add"):
        await connect(rt, asleep)
    assert await rt.clusters.observe(asleep) == State.STOPPED


async def test_the_monitor_lets_it_sleep(rt: Runtime, asleep: str) -> None:
    await monitor.look(rt)
    async with rt.database.connection() as db:
        assert await journal.unfinished(db, asleep) == []
    assert await rt.clusters.observe(asleep) == State.STOPPED


async def test_an_open_session_keeps_a_project_awake(rt: Runtime, client: Client) -> None:
    ref = await client.active_project()
    ingress = app.build_ingress(rt)
    assert isinstance(rt.door, TlsDoor)
    door = dataclasses.replace(rt.door, port=await ingress.listen("127.0.0.1", 0))
    attending = asyncio.create_task(presence.attend(rt, ingress))
    async with await door.connect(ref, "postgres", "correct horse") as session:
        await leave_alone(rt, ref)
        idle = "select used_at < now() - interval '30 minutes' from projects where ref = %s"
        async with asyncio.timeout(10), rt.database.connection() as db:
            while (await (await db.execute(idle, [ref])).fetchone()) == (True,):
                await asyncio.sleep(0.05)
        await sleep.look(rt)
        await client.drain()
        await session.execute("select 1")
    attending.cancel()
    await asyncio.wait([attending])
    await ingress.close()


async def test_who_comes_while_it_falls_asleep_is_served(rt: Runtime, client: Client) -> None:
    ref = await client.active_project()
    await leave_alone(rt, ref)
    await sleep.look(rt)
    async with working(client.queue):
        async with rt.database.connection() as db:
            while not (await store.get(db, ref)).asleep:
                await asyncio.sleep(0)
        async with await connect(rt, ref) as session:
            await session.execute("select 1")


async def test_a_project_that_was_used_meanwhile_does_not_fall_asleep(rt: Runtime, client: Client) -> None:
    ref = await client.active_project()
    await leave_alone(rt, ref)
    await sleep.look(rt)
    async with await connect(rt, ref) as session:
        await client.drain()
        await session.execute("select 1")


async def test_who_cannot_be_woken_says_why_and_is_unhealthy(
    rt: Runtime, client: Client, asleep: str, worker: None
) -> None:
    home = Layout(rt.settings.data_dir).cluster(asleep).home
    away = home.with_suffix(".away")
    home.rename(away)
    with pytest.raises(Exception, match="could not be woken"):
        await connect(rt, asleep)
    assert await client.status(asleep) == "ACTIVE_UNHEALTHY"
    away.rename(home)


async def test_an_expired_role_does_not_wake_it(rt: Runtime, client: Client) -> None:
    ref = await client.active_project()
    made = (await client.post(f"/v1/projects/{ref}/cli/login-role", {"read_only": False})).json()
    await leave_alone(rt, ref)
    await sleep.look(rt)
    await client.drain()
    async with rt.database.connection() as db:
        await db.execute("update temporary_roles set expires_at = now() where name = %s", [made["role"]])
    await sweeper.look(rt)
    assert await rt.clusters.observe(ref) == State.STOPPED


async def test_its_metrics_let_it_sleep(rt: Runtime, client: Client, asleep: str, worker: None) -> None:
    async with opened(rt, install=False) as door:
        found = await scrape(door, client, asleep)
    assert (found("baseplane_project_asleep"), found("pg_up")) == (1, 0)
    assert found("node_filesystem_size_bytes", mountpoint="/data") == 8 * GB
    assert await rt.clusters.observe(asleep) == State.STOPPED
    async with rt.database.connection() as db:
        assert (await store.get(db, asleep)).asleep
