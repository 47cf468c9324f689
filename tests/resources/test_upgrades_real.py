"""Upgrades of real projects, through the API, by workers and over clusters that die at any place of it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from baseplane.drivers.archive.stores import ObjectStore
from baseplane.drivers.cluster.engines import found
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.drivers.rest import program
from baseplane.errors import Unavailable
from baseplane.resources.backups import watch
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import Status
from baseplane.resources.upgrades import store, workflows
from baseplane.runtime import Runtime
from baseplane.workflows import queue
from tests.conftest import Client, Limited, without_others, working
from tests.resources.keys import new_key
from tests.resources.rest_door import Door, opened
from tests.resources.webhooks import admin
from tests.workflows.crashing import WHEN, crash

FILLED = """
create table public.orders (id int generated always as identity primary key, item text);
insert into public.orders (item) select 'tea ' || n from generate_series(1, 1000) n;
create role clerk login password 'clerk''s own' in role authenticated;
grant select on public.orders to authenticated;
select vault.create_secret('hush', 'quiet');
create extension vector with schema extensions;
create table public.points (at extensions.vector(3));
insert into public.points values ('[1,2,3]');
create index on public.points using hnsw (at extensions.vector_l2_ops);
create trigger told after insert on public.orders for each row
  execute function supabase_functions.http_request('http://127.0.0.1:9/told', 'POST', '{}', '{}', '1000');
"""
CHECKSUM = "select md5(string_agg(o::text, ',' order by id)) as sum from public.orders o"


@pytest.fixture
async def ref(real: Client) -> AsyncIterator[str]:
    """A project with a bit of everything."""
    ref = await real.active_project()
    assert (await real.post(f"/v1/projects/{ref}/database/webhooks/enable")).status_code == 201
    answer = await real.query(ref, FILLED)
    assert answer.status_code == 201, answer.text
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


async def connect(rt: Runtime, ref: str, user: str, password: str) -> psycopg.AsyncConnection[Any]:
    assert isinstance(rt.door, TlsDoor)
    return await rt.door.connect(ref, user, password)


async def test_a_project_goes_to_18_with_all_it_has(real: Client, real_rt: Runtime, ref: str) -> None:
    async with working(real.queue):
        changed = {"work_mem": "9MB", "max_connections": 70}
        put = await real.call("PUT", f"/v1/projects/{ref}/config/database/postgres", json=changed)
        assert put.status_code == 200, put.text
        before = await ask(real, ref, CHECKSUM)
        eligibility = await real.get(f"/v1/projects/{ref}/upgrade/eligibility")
        assert eligibility["eligible"], eligibility
        session = await connect(real_rt, ref, "postgres", "correct horse")
        await begin(real, ref)
        assert await real.status(ref) == "UPGRADING"
        with pytest.raises(Unavailable, match=r"it is UPGRADING\. HINT: Its Postgres is being upgraded"):
            await connect(real_rt, ref, "postgres", "correct horse")
        assert (await real.query(ref, "select 1")).status_code == 400
        await real.becomes(ref, "ACTIVE_HEALTHY")
        with pytest.raises(psycopg.OperationalError):
            await session.execute("select 1")
        await session.close()
        assert (await told(real, ref))["status"] == 1, await told(real, ref)
        assert await ask(real, ref, CHECKSUM) == before
        shown = "select current_setting('work_mem') as w, current_setting('max_connections') as c"
        assert await ask(real, ref, shown) == [{"w": "9MB", "c": "70"}]
        assert (await ask(real, ref, "select decrypted_secret as s from vault.decrypted_secrets")) == [{"s": "hush"}]
        nearest = "select at::text as at from public.points order by at operator(extensions.<->) '[1,2,2]' limit 1"
        assert await ask(real, ref, nearest) == [{"at": "[1,2,3]"}]
        await ask(real, ref, "insert into public.orders (item) values ('cake')")
        assert await ask(real, ref, "select count(*)::int as n from net.http_request_queue") == [{"n": 1}]
        for user, password in (("clerk", "clerk's own"), ("postgres", "correct horse")):
            async with await connect(real_rt, ref, user, password) as session:
                assert await (await session.execute("select count(*) from public.orders")).fetchone() == (1001,)
        project = await real.get(f"/v1/projects/{ref}")
        assert project["database"]["postgres_engine"] == "18"
        assert project["database"]["version"].startswith("18.")
    await real.drain()
    async with working(real.queue):
        assert (await real.get(f"/v1/projects/{ref}/upgrade/eligibility"))["eligible"] is False
    assert await ask(real, ref, "select count(*)::int > 0 as known from pg_stats where tablename = 'orders'") == [
        {"known": True}
    ]
    aside = Layout(real_rt.settings.data_dir).cluster(ref).home / "aside"
    assert list(aside.iterdir()) == []


async def test_a_project_of_15_goes_to_17(real: Client, limited: Limited) -> None:
    if not any(engine.major == 15 for engine in found()):
        pytest.skip("there is no Postgres 15 on this machine")
    async with limited(engine=15) as client:
        ref = await client.active_project()
    await ask(real, ref, "create table public.orders as select n as id, 'tea' as item from generate_series(1, 99) n")
    before = await ask(real, ref, CHECKSUM)
    async with working(real.queue):
        eligibility = await real.get(f"/v1/projects/{ref}/upgrade/eligibility")
        assert [target["postgres_version"] for target in eligibility["target_upgrade_versions"]] == ["17"]
        answer = await real.post(f"/v1/projects/{ref}/upgrade", {"target_version": "17"})
        assert answer.status_code == 201, answer.text
        await real.becomes(ref, "ACTIVE_HEALTHY")
    await real.drain()
    assert (await told(real, ref))["status"] == 1, await told(real, ref)
    assert await ask(real, ref, CHECKSUM) == before
    await ask(real, ref, "create role made_by_postgres login password 'a b c d'")  # what 15 does not let postgres do


async def test_what_stands_in_the_way_is_named(real: Client, real_rt: Runtime, ref: str) -> None:
    await ask(real, ref, "alter role clerk set search_path = ''")
    async with admin(real_rt, ref) as db:
        await db.execute("select pg_create_physical_replication_slot('standby')")
        await db.execute("create extension amcheck schema extensions")
        await db.execute("update pg_extension set extname = 'gone' where extname = 'amcheck'")
        await db.execute("update pg_db_role_setting set setconfig = '{search_path=}' where setrole = 'clerk'::regrole")
    async with working(real.queue):
        seen = await real.get(f"/v1/projects/{ref}/upgrade/eligibility")
        refused = await real.post(f"/v1/projects/{ref}/upgrade", {"target_version": "18"})
    assert seen["eligible"] is False
    assert seen["validation_errors"] == [
        {"type": "active_replication_slot", "slot_name": "standby"},
        {"type": "unsupported_extension", "extension_name": "gone"},
    ]
    assert seen["unsupported_extensions"] == ["gone"]
    assert "Settings that are empty lists cannot be carried over, reset them: search_path of clerk" in seen["obstacles"]
    assert refused.status_code == 400
    assert refused.json()["validation_errors"] == seen["validation_errors"]
    assert await real.status(ref) == "ACTIVE_HEALTHY"


async def test_a_slot_that_lags_gives_the_old_project_back_and_says_so(
    real: Client, real_rt: Runtime, ref: str
) -> None:
    async with admin(real_rt, ref) as db:
        await db.execute("select pg_create_logical_replication_slot('late', 'pgoutput')")
    before = await ask(real, ref, CHECKSUM)
    await ask(real, ref, "update public.points set at = '[3,2,1]'")
    async with working(real.queue):
        await begin(real, ref)
        await real.becomes(ref, "ACTIVE_HEALTHY")
    failed = await told(real, ref)
    assert (failed["status"], failed["error"]) == (2, "5_data_upgrade_completion_failed")
    assert 'The slot "late" has not consumed the WAL yet' in failed["cause"]
    assert await ask(real, ref, CHECKSUM) == before
    assert (await real.get(f"/v1/projects/{ref}"))["database"]["postgres_engine"] == "17"


@dataclass(frozen=True)
class Waiting:
    """A request to insert a row, of which PostgREST has half."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def begin(cls, door: Door, ref: str, key: str) -> "Waiting":
        reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rpartition(":")[2]))
        head = f"POST /{ref}/rest/v1/orders HTTP/1.1\r\nHost: door\r\napikey: {key}\r\nContent-Length: 15\r\n"
        writer.write(f'{head}Content-Type: application/json\r\n\r\n{{"item":'.encode())
        await writer.drain()
        return cls(reader, writer)

    async def end(self) -> int:
        """Send the rest; gives the status of the answer."""
        self.writer.write(b'"late"}')
        answer = await self.reader.readline()
        self.writer.close()
        return int(answer.split(b" ")[1])


@pytest.mark.skipif(program._here() not in program.PACKAGES, reason="PostgREST is not made for this")
async def test_what_waits_since_before_the_upgrade_does_not_write_into_what_may_be_taken_back(
    real: Client, real_rt: Runtime, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that PostgREST has only half of is finished when the new cluster serves and is not certain to stay."""
    key = (await new_key(real, ref, secret_jwt_template={"role": "service_role"}))["api_key"]
    await ask(real, ref, "grant all on public.orders to service_role")
    async with opened(real_rt) as door:
        assert len(await door.get(ref, "/orders?limit=1", key)) == 1
        waiting = [await Waiting.begin(door, ref, key) for _ in range(3)]  # the first meets connections that are dead
        async with real_rt.database.transaction() as db:
            await projects.settle(db, ref, Status.UPGRADING, only_from={Status.ACTIVE_HEALTHY})
            await store.insert(db, ref, 18, "18")
            await queue.start(db, workflows.upgrade, ref)
        start_upgraded = [step.name for step in workflows.upgrade.steps].index("start_upgraded")
        await crash(real_rt, workflows.upgrade, ref, start_upgraded, WHEN[1], monkeypatch)
        answers = [await request.end() for request in waiting]
    async with real_rt.database.connection() as db:
        await db.execute("update runs set cancel = true where subject = %s and finished_at is null", [ref])
    await real.drain()
    assert (await told(real, ref))["status"] == 2
    assert answers == [503, 503, 503]
    assert await ask(real, ref, "select count(*)::int as n from public.orders where item = 'late'") == [{"n": 0}]


async def test_a_base_backup_under_way_ends_with_the_old_cluster_and_the_new_one_is_backed_up(
    kept: Client, kept_rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, upgraded, put = threading.Event(), threading.Event(), ObjectStore.put

    def hold(self: ObjectStore, key: str, chunks: Iterable[bytes]) -> tuple[str, int]:
        """pg_basebackup waits meanwhile, with Postgres behind it, for somebody who takes what it has read."""
        if key.endswith("data.tar.zst.aes") and not reading.is_set():
            reading.set()
            upgraded.wait(60)
        return put(self, key, chunks)

    monkeypatch.setattr(ObjectStore, "put", hold)
    async with without_others(kept_rt), working(kept.queue):
        ref = str((await kept.create_project())["ref"])
        await kept.becomes(ref, "ACTIVE_HEALTHY")
        await ask(kept, ref, "create table public.orders as select 1 as id, 'tea' as item")
        await watch.look(kept_rt)
        assert await asyncio.to_thread(reading.wait, 60)
        async with admin(kept_rt, ref) as db, asyncio.timeout(30):
            senders = "select application_name, state from pg_stat_replication"
            while await (await db.execute(senders)).fetchall() != [("pg_basebackup", "backup")]:
                await asyncio.sleep(0.02)
        await begin(kept, ref)
        async with asyncio.timeout(90):
            while (await told(kept, ref))["status"] == 0:
                await asyncio.sleep(0.05)
        upgraded.set()
        await kept.becomes(ref, "ACTIVE_HEALTHY")
        assert (await told(kept, ref))["status"] == 1
        path = f"/v1/projects/{ref}/database/backups"
        await until_backed_up(kept, path, ["FAILED"])
        async with kept_rt.database.connection() as db:
            await db.execute(
                "update backups set finished_at = now() - interval '2 hours' where project_ref = %s", [ref]
            )
        await watch.look(kept_rt)
        await until_backed_up(kept, path, ["COMPLETED", "FAILED"])
        assert await ask(kept, ref, "select item from public.orders") == [{"item": "tea"}]


async def until_backed_up(client: Client, path: str, statuses: list[str]) -> None:
    async with asyncio.timeout(60):
        while [backup["status"] for backup in (await client.get(path))["backups"]] != statuses:
            await asyncio.sleep(0.05)
