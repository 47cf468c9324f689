"""Sessions through the Postgres door, once they are served: cancels, copies, and every way to end."""

import asyncio
import struct
from pathlib import Path

import psycopg
import pytest
import uvloop

from baseplane.drivers.certificates import Authority
from baseplane.drivers.ingress import Route, Visitor
from baseplane.drivers.ingress.login import LoginReader
from baseplane.drivers.ingress.postgres import PostgresIngress
from tests.drivers import postgres_server
from tests.drivers.conftest import DIRECT, HOST, REF, SSL_REQUEST, Door, Rules, startup


@pytest.mark.parametrize("sslmode", ["disable", "require"])
async def test_a_running_query_is_cancelled(door: Door, sslmode: str) -> None:
    async with await door.connect(sslmode=sslmode) as client:
        query = asyncio.create_task(client.execute("select pg_sleep(20)"))
        await asyncio.sleep(0.1)
        await client.cancel_safe(timeout=5)
        with pytest.raises(psycopg.errors.QueryCanceled):
            await query


async def test_a_cancel_with_an_unknown_key_is_closed_without_a_word(door: Door) -> None:
    reader, writer = await door.raw(struct.pack("!IIII", 16, 80877102, 1, 2))
    assert await reader.read() == b""
    writer.close()


def test_a_backend_key_is_read_in_pieces_of_any_size() -> None:
    key = b"\0\0\0\1" + b"s" * 32
    notice = b"N" + struct.pack("!I", 104) + b"K" * 100
    stream = b"R\0\0\0\x08\0\0\0\0" + notice + b"K" + struct.pack("!I", 4 + len(key)) + key + b"Z\0\0\0\x05I"
    for size in range(1, len(stream) + 1):
        reader = LoginReader()
        for at in range(0, len(stream), size):
            reader.feed(stream[at : at + size])
        assert (reader.key, reader.done) == (key, True)


def test_a_refused_login_is_read_in_pieces_of_any_size() -> None:
    body = b"SFATAL\0C28P01\0Mpassword authentication failed\0\0"
    stream = b"R\0\0\0\x0c\0\0\0\x0b" + b"done" + b"E" + struct.pack("!I", 4 + len(body)) + body
    for size in range(1, len(stream) + 1):
        reader = LoginReader()
        for at in range(0, len(stream), size):
            reader.feed(stream[at : at + size])
        assert (reader.failure, reader.done) == ("28P01", True)


async def test_the_gate_hears_who_comes_and_who_failed(door: Door) -> None:
    await door.ingress.listen("127.0.0.1", 0)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await door.connect(password="wrong", sslmode="require")
    async with await door.connect(sslmode="disable"):
        pass
    assert door.rules.visitors == [
        Visitor(REF, "postgres", "127.0.0.1", encrypted=True, pooled=False),
        Visitor(REF, "postgres", "127.0.0.1", encrypted=False, pooled=False),
    ]
    assert door.rules.failures == [("postgres", "127.0.0.1", "28P01")]


async def test_a_visitor_of_the_transaction_port_is_told_apart(door: Door) -> None:
    port = await door.ingress.listen("127.0.0.1", 0, pooled=True)
    async with await door.connect(port=port):
        pass
    assert [visitor.pooled for visitor in door.rules.visitors] == [True]


@pytest.mark.parametrize("sslmode", ["disable", "require"])
async def test_a_review_ends_sessions_that_may_not_be_any_more(door: Door, sslmode: str) -> None:
    async with await door.connect(sslmode=sslmode) as idle, await door.connect(sslmode=sslmode) as busy:
        query = asyncio.create_task(busy.execute("select pg_sleep(20)"))
        assert await door.ingress.review(REF) == 0
        door.rules.banished.add("127.0.0.1")
        assert await door.ingress.review("anotherprojectsref") == 0
        assert await door.ingress.review(REF) == 2
        with pytest.raises(psycopg.OperationalError, match="may not come in"):
            await idle.execute("select 1")
        with pytest.raises(psycopg.OperationalError):
            await query
    door.rules.banished.clear()
    async with await door.connect() as later:
        ask = "select count(*) from pg_stat_activity where query like '%%pg_sleep(20)' and pid <> pg_backend_pid()"
        while (await (await later.execute(ask)).fetchone()) != (0,):
            await asyncio.sleep(0.01)  # the query that ran was cancelled


async def test_a_review_finds_those_who_are_being_let_in(door: Door) -> None:
    door.rules.wakes = False
    coming = asyncio.create_task(door.connect())
    async with asyncio.timeout(5):
        while not door.rules.visitors:
            await asyncio.sleep(0.005)
    door.rules.banished.add("127.0.0.1")
    assert await door.ingress.review(REF) == 1
    with pytest.raises(psycopg.OperationalError, match="may not come in"):
        await coming


def test_the_poolers_refusal_is_one_of_credentials() -> None:
    reader = LoginReader()
    body = b"SFATAL\0C08P01\0MSASL authentication failed\0\0"
    reader.feed(b"E" + struct.pack("!I", 4 + len(body)) + body)
    assert reader.failure == "28P01"


COPIED = "select repeat('x', 1000) from generate_series(1, 50000)"


@pytest.mark.parametrize("sslmode", ["disable", "require"])
async def test_copying_out_waits_for_a_slow_reader(door: Door, sslmode: str) -> None:
    async with await door.connect(sslmode=sslmode) as client, client.cursor() as cursor:
        size = 0
        async with cursor.copy(f"copy ({COPIED}) to stdout") as copy:
            async for block in copy:
                if not size:
                    await asyncio.sleep(0.2)
                    assert 0 < door.buffered() < 2_000_000
                size += len(block)
        assert size == 50_000 * 1001


@pytest.mark.parametrize("sslmode", ["disable", "require"])
async def test_copying_in_waits_for_a_slow_cluster(door: Door, sslmode: str) -> None:
    async with await door.connect(sslmode=sslmode) as client, await door.connect() as other, client.cursor() as cursor:
        await client.execute("create temporary table copied (line text)")
        await client.execute(
            "create function pg_temp.wait() returns trigger language plpgsql as "
            "$$ begin perform pg_advisory_xact_lock_shared(7); return new; end $$"
        )
        await client.execute("create trigger wait before insert on copied execute function pg_temp.wait()")
        await client.execute("create trigger each before insert on copied for each row execute function pg_temp.wait()")
        await other.execute("select pg_advisory_lock(7)")

        async def write() -> None:
            async with cursor.copy("copy copied from stdin") as copy:
                for _ in range(500):
                    await copy.write(("x" * 99_999 + "\n").encode())

        writing = asyncio.create_task(write())
        await asyncio.sleep(0.3)
        assert not writing.done()
        assert door.buffered() < 2_000_000
        await other.execute("select pg_advisory_unlock(7)")
        await writing
        assert await (await client.execute("select sum(length(line)) from copied")).fetchone() == (500 * 99_999,)


async def test_200_clients_are_served_at_once(door: Door) -> None:
    clients = await asyncio.gather(*(door.connect(sslmode=("disable", "require")[n % 2]) for n in range(200)))
    assert door.ingress.connections == 200
    answers = await asyncio.gather(*(client.execute("select pg_backend_pid()") for client in clients))
    assert len({(await answer.fetchone() or [0])[0] for answer in answers}) == 200
    await asyncio.gather(*(client.close() for client in clients))


@pytest.mark.parametrize("sslmode", ["disable", "require"])
async def test_a_backend_that_dies_closes_its_client(door: Door, sslmode: str) -> None:
    async with await door.connect(sslmode=sslmode) as client, await door.connect() as other:
        await other.execute("select pg_terminate_backend(%s)", [client.info.backend_pid])
        with pytest.raises(psycopg.OperationalError, match="administrator command"):
            await client.execute("select 1")


async def test_a_client_that_leaves_ends_its_backend(door: Door) -> None:
    async with await door.connect() as other:
        client = await door.connect()
        pid = client.info.backend_pid
        await client.close()
        for _ in range(100):
            cursor = await other.execute("select 1 from pg_stat_activity where pid = %s", [pid])
            if await cursor.fetchone() is None:
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("the backend is still there")
        assert door.ingress.connections == 1


async def test_a_client_that_closes_one_way_still_gets_its_answer(door: Door, tmp_path: Path) -> None:
    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.read()
        assert asked.endswith(b"question")
        writer.write(b"answer" * 100_000)
        writer.close()

    cluster = await asyncio.start_unix_server(answer_at_the_end, tmp_path / "socket")
    door.rules.routes[REF] = Route(str(tmp_path / "socket"))
    reader, writer = await door.raw(startup(user=f"postgres.{REF}"), b"question")
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 2) == b"answer" * 100_000
    writer.close()
    cluster.close()
    await cluster.wait_closed()


async def test_the_door_stands_on_uvloop_too(server: postgres_server.Server, authority: Authority) -> None:
    async def scenario() -> None:
        ingress = PostgresIngress(Rules({REF: Route(server.socket)}), authority, HOST)
        door = Door(ingress, await ingress.listen("127.0.0.1", 0), Rules({}))
        for ways in ({}, {"sslmode": "require"}, DIRECT):
            async with await door.connect(**ways) as client:
                assert await (await client.execute("select repeat('x', 900000)")).fetchone() == ("x" * 900_000,)
                query = asyncio.create_task(client.execute("select pg_sleep(20)"))
                await asyncio.sleep(0.1)
                await client.cancel_safe(timeout=5)
                with pytest.raises(psycopg.errors.QueryCanceled):
                    await query
        async with await door.connect(sslmode="require"):
            await ingress.close()
        assert ingress.connections == 0

    await asyncio.to_thread(uvloop.run, scenario())


async def test_closing_the_door_ends_everything(door: Door) -> None:
    clients = [await door.connect(sslmode=sslmode) for sslmode in ("disable", "require")]
    reader, writer = await door.raw(SSL_REQUEST)
    await reader.readexactly(1)
    await door.ingress.close()
    assert door.ingress.connections == 0
    for client in clients:
        with pytest.raises(psycopg.OperationalError):
            await client.execute("select 1")
    with pytest.raises(OSError, match=r".*"):
        await door.raw()
    writer.close()
