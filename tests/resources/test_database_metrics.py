"""What real clusters say of themselves to Prometheus, while their tenants do what they like."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg import sql

from baseplane.drivers.cluster.layout import Layout
from baseplane.resources.metrics import database
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.metrics import scrape
from tests.resources.replicas import connect
from tests.resources.rest_door import Door, opened

HOSTILE = 'x"} 1\nfake_metric{a="\\'


@pytest.fixture(scope="module")
async def door(real_rt: Runtime) -> AsyncIterator[Door]:
    async with opened(real_rt, install=False) as door:
        yield door


@pytest.fixture(scope="module")
async def ref(real: Client) -> str:
    return await real.active_project()


async def test_a_session_a_table_and_a_transaction_are_seen(
    real: Client, real_rt: Runtime, door: Door, ref: str
) -> None:
    before = await scrape(door, real, ref)
    assert before("pg_up") == 1
    assert before("connection_stats_connection_count", username="postgres") == 0
    async with await connect(real_rt, ref) as session:
        await session.execute(
            "create table public.large as select repeat('x', 1000) as x from generate_series(1, 5000)"
        )
        await session.execute("begin")
        await session.execute("select 1")
        await asyncio.sleep(0.05)  # what is measured is how long it is open
        after = await scrape(door, real, ref)
    assert after("connection_stats_connection_count", username="postgres") == 1
    assert after("connection_stats_connection_count", username="supabase_admin") == 1  # who asks, and does not stay
    assert after("pg_stat_activity_max_tx_duration") >= 0.05  # type: ignore[operator]
    for name in ("baseplane_wal_written_bytes_total", "pg_database_size_mb", "pg_stat_database_num_backends"):
        assert after(name) > before(name), name  # type: ignore[operator]
    grown = after("pg_database_size_bytes", datname="postgres") - before("pg_database_size_bytes", datname="postgres")  # type: ignore[operator]
    assert grown > 1_000_000
    assert after("max_connections_connection_count") == after("pg_settings_max_connections") == 60
    async with asyncio.timeout(10):  # sessions tell their statistics when they end, and now and then
        while (await scrape(door, real, ref))("pg_stat_database_xact_commit_total") <= before(  # type: ignore[operator]
            "pg_stat_database_xact_commit_total"
        ):
            await asyncio.sleep(0.1)


async def test_every_measure_is_there(real: Client, door: Door, ref: str) -> None:
    found = await scrape(door, real, ref)
    never = {"pg_stat_database_most_recent_reset"}  # nobody has
    assert {measure.name for measure in database.MEASURES} - never <= found.samples.keys()
    assert found.labels("pg_up", "supabase_project_ref") == {ref}


async def test_names_of_databases_are_only_names(real: Client, real_rt: Runtime, door: Door, ref: str) -> None:
    async with await connect(real_rt, ref) as db:
        await db.execute(sql.SQL("create database {}").format(sql.Identifier(HOSTILE)))
        await db.execute(
            "create database bytes encoding 'SQL_ASCII' locale_provider libc locale 'C' template template0"
        )
    async with await connect(real_rt, ref, dbname="bytes") as db:
        await db.execute("set client_encoding = 'SQL_ASCII'")
        await db.execute(b'create database "\xff\xfe" template template0')
    found = await scrape(door, real, ref)
    assert {HOSTILE, "\\xff\\xfe"} <= found.labels("pg_database_size_bytes", "datname")
    assert "fake_metric" not in found.samples


async def test_when_all_connections_are_taken_that_is_seen(real: Client, real_rt: Runtime, door: Door) -> None:
    ref = await real.active_project()
    async with contextlib.AsyncExitStack() as stack:
        count = 0
        with contextlib.suppress(psycopg.OperationalError):
            while count < 60:
                await stack.enter_async_context(await connect(real_rt, ref))
                count += 1
        found = await scrape(door, real, ref)
        assert found("pg_up") == 1
        assert found("connection_stats_connection_count", username="postgres") == count > 40


async def test_a_postgres_that_hangs_is_not_waited_for(
    real: Client, real_rt: Runtime, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await real.active_project()
    monkeypatch.setattr(database, "WITHIN", 0.2)
    data = Layout(real_rt.settings.data_dir).cluster(ref).data
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    real_rt.clusters.connections.forget(Layout(real_rt.settings.data_dir).cluster(ref).sockets)  # type: ignore[attr-defined]
    os.kill(postmaster, signal.SIGSTOP)
    try:
        found = await scrape(door, real, ref)
    finally:
        os.kill(postmaster, signal.SIGCONT)
    assert found("pg_up") == 0
    assert found("baseplane_project_status", status="ACTIVE_HEALTHY") == 1
