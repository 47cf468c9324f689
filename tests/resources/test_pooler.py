"""The transaction port: PgBouncer behind the real ingress, started for the first client."""

import asyncio
import dataclasses
import os
import shutil
import signal
from typing import Any

import psycopg
import pytest

from baseplane import app
from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.drivers.pooler.absent import NoPoolers
from baseplane.drivers.pooler.local import LocalPoolers
from baseplane.resources.pooler import pools
from baseplane.resources.projects import store
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of, open_door

pytestmark = pytest.mark.skipif(
    not (shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")), reason="PgBouncer is not installed"
)


@pytest.fixture
async def pooled(real: Client) -> str:
    """A project whose settings a test may change."""
    return await real.active_project()


@pytest.fixture
def poolers(real_rt: Runtime) -> LocalPoolers:
    assert isinstance(real_rt.poolers, LocalPoolers)
    return real_rt.poolers


async def connect(rt: Runtime, ref: str, **given: Any) -> psycopg.AsyncConnection[Any]:
    assert isinstance(rt.door, TlsDoor)
    parameters = {
        "host": rt.door.host, "port": rt.door.pooler_port, "user": f"postgres.{ref}", "password": "correct horse",
        "dbname": "postgres", "autocommit": True, "prepare_threshold": None, "connect_timeout": 10,
    }  # fmt: skip
    return await psycopg.AsyncConnection.connect(**(parameters | given))


async def value(session: psycopg.AsyncConnection[Any], query: str) -> Any:
    row = await (await session.execute(query.encode())).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("sslmode", ["disable", "require"])
async def test_sessions_share_server_connections(real_rt: Runtime, project: str, sslmode: str) -> None:
    sessions = [await connect(real_rt, project, sslmode=sslmode) for _ in range(5)]
    backends = {await value(session, "select pg_backend_pid()") for session in sessions}
    assert len(backends) == 1
    for session in sessions:
        await session.close()


async def test_a_transaction_keeps_its_server_connection(real_rt: Runtime, project: str) -> None:
    async with await connect(real_rt, project) as one, await connect(real_rt, project) as other, one.transaction():
        first = await value(one, "select pg_backend_pid()")
        assert await value(other, "select pg_backend_pid()") != first
        assert await value(one, "select pg_backend_pid()") == first


async def test_a_wrong_password_is_refused(real_rt: Runtime, project: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        await connect(real_rt, project, password="wrong")


async def test_a_database_that_is_not_there_is_refused_at_once(real_rt: Runtime, project: str) -> None:
    with pytest.raises(
        psycopg.OperationalError, match=r"nowhere|authentication failed"
    ):  # before 1.19 it names nothing
        await connect(real_rt, project, dbname="nowhere")


async def test_a_role_that_the_tenant_made_comes_in(real: Client, real_rt: Runtime, project: str) -> None:
    await real.query(project, "create role visitor login password 'let me in'")
    async with await connect(real_rt, project, user=f"visitor.{project}", password="let me in") as session:
        assert await value(session, "select current_user") == "visitor"
    await real.query(project, "drop role visitor")


@pytest.mark.parametrize("user", ["supabase_admin", "pgbouncer", "baseplane_console"])
async def test_the_platforms_own_roles_do_not_come_in_with_a_guess(real_rt: Runtime, project: str, user: str) -> None:
    for dbname in ("postgres", "pgbouncer"):
        with pytest.raises(psycopg.OperationalError):
            await connect(real_rt, project, user=f"{user}.{project}", password="correct horse", dbname=dbname)


async def test_a_running_query_is_cancelled(real_rt: Runtime, project: str) -> None:
    async with await connect(real_rt, project) as session:
        query = asyncio.create_task(session.execute("select pg_sleep(20)"))
        async with await connect(real_rt, project) as other:
            asleep = "select count(*) from pg_stat_activity where query = 'select pg_sleep(20)' and state = 'active'"
            while await value(other, asleep) == 0:
                await asyncio.sleep(0.01)
        await session.cancel_safe(timeout=5)
        with pytest.raises(psycopg.errors.QueryCanceled):
            await query


async def test_after_a_kill_clients_come_back_in(real_rt: Runtime, poolers: LocalPoolers, project: str) -> None:
    async with await connect(real_rt, project) as session:
        pid = poolers._pid(project)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            await session.execute("select pg_sleep(20)")
    async with await connect(real_rt, project) as session:
        assert await value(session, "select 1") == 1


async def test_many_first_clients_at_once_are_served(real_rt: Runtime, pooled: str) -> None:
    sessions = await asyncio.gather(*(connect(real_rt, pooled) for _ in range(40)))
    for session in sessions:
        assert await value(session, "select 1") == 1
        await session.close()


async def test_two_processes_may_prepare_it_at_once(real_rt: Runtime, pooled: str) -> None:
    async with real_rt.database.connection() as db:
        project = await store.get(db, pooled)
    cluster = Layout(real_rt.settings.data_dir).cluster(pooled).sockets
    specs = await asyncio.gather(*(pools._spec(real_rt, project, pooled, cluster) for _ in range(8)))
    assert all(spec == specs[0] for spec in specs)


async def test_what_is_set_is_what_it_runs_with(
    real: Client, real_rt: Runtime, poolers: LocalPoolers, pooled: str, worker: None
) -> None:
    path = f"/v1/projects/{pooled}/config/database"
    before = await real.get(f"{path}/pgbouncer")
    assert (before["pool_mode"], before["default_pool_size"]) == ("transaction", 15)
    async with await connect(real_rt, pooled):
        changed = await real.call("PATCH", f"{path}/pooler", json={"default_pool_size": 7, "pool_mode": "session"})
        assert changed.json() == {"default_pool_size": 7, "pool_mode": "session"}
        running = await poolers._config(pooled)
        assert (running["default_pool_size"], running["pool_mode"]) == ("7", "session")
    ways = await real.get(f"{path}/pooler")
    assert [(way["pool_mode"], way["default_pool_size"]) for way in ways] == [("session", 7), ("session", None)]
    await poolers.stop(pooled)
    async with await connect(real_rt, pooled):
        assert (await poolers._config(pooled))["default_pool_size"] == "7"
    again = await real.call("PATCH", f"{path}/pooler", json={"default_pool_size": None})
    assert again.json() == {"default_pool_size": None, "pool_mode": "session"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"default_pool_size": 51}, "more than the 50 connections"),
        ({"default_pool_size": -1}, "default_pool_size"),
        ({"default_pool_size": 3001}, "default_pool_size"),
        ({"pool_mode": "statement"}, "pool_mode"),
    ],
)
async def test_settings_that_cannot_be_are_refused(
    real: Client, project: str, body: dict[str, object], words: str
) -> None:
    answer = await real.call("PATCH", f"/v1/projects/{project}/config/database/pooler", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["message"]


async def test_its_health_is_asked_through_it(real: Client, project: str) -> None:
    (health,) = await real.get(f"/v1/projects/{project}/health?services=pg_bouncer")
    assert health == {"name": "pg_bouncer", "healthy": True, "status": "ACTIVE_HEALTHY"}


async def test_a_pooler_without_clients_is_found_idle(real_rt: Runtime, poolers: LocalPoolers, pooled: str) -> None:
    async with await connect(real_rt, pooled):
        assert pooled not in await poolers.idle()
    async with asyncio.timeout(5):
        while pooled not in await poolers.idle():
            await asyncio.sleep(0.01)


async def test_it_goes_with_a_project_that_is_paused(
    real: Client, real_rt: Runtime, poolers: LocalPoolers, pooled: str
) -> None:
    async with await connect(real_rt, pooled):
        await real.post(f"/v1/projects/{pooled}/pause")
        await real.drain()
    assert await poolers.find(pooled) is None
    with pytest.raises(psycopg.OperationalError, match="INACTIVE"):
        await connect(real_rt, pooled)


async def test_without_pgbouncer_the_port_serves_sessions_and_says_so(real_rt: Runtime) -> None:
    rt = dataclasses.replace(real_rt, poolers=NoPoolers())
    ingress = app.build_ingress(rt)
    authority = Authority(app.Paths(rt.settings.data_dir).authority)
    rt = dataclasses.replace(rt, door=await open_door(ingress, authority))
    async with client_of(rt) as client:
        ref = await client.active_project()
        sessions = [await connect(rt, ref) for _ in range(2)]
        assert len({await value(session, "select pg_backend_pid()") for session in sessions}) == 2
        for session in sessions:
            await session.close()
        path = f"/v1/projects/{ref}"
        (health,) = await client.get(f"{path}/health?services=pg_bouncer")
        assert (health["healthy"], "not part of this installation" in health["error"]) == (False, True)
        assert [way["pool_mode"] for way in await client.get(f"{path}/config/database/pooler")] == ["session"]
        refused = await client.call("PATCH", f"{path}/config/database/pooler", json={"pool_mode": "session"})
        assert "PgBouncer is not installed" in refused.json()["message"]
        missing = await client.call("GET", f"{path}/config/database/pgbouncer")
        assert missing.status_code == 404
    await ingress.close()


async def test_the_watcher_stops_what_nobody_uses(
    real_rt: Runtime, poolers: LocalPoolers, pooled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "EVERY", 0.01)
    async with await connect(real_rt, pooled):
        pass
    watching = asyncio.create_task(pools.watch(real_rt))
    async with asyncio.timeout(10):
        while await poolers.find(pooled):
            await asyncio.sleep(0.01)
    watching.cancel()
