"""The Postgres door, through psycopg and raw sockets, in front of a real Postgres."""

import asyncio
import struct
from typing import Any

import psycopg
import pytest

from baseplane.drivers.certificates import Authority
from baseplane.drivers.ingress import Limits, Route
from baseplane.drivers.ingress.backend_key import KeyReader
from tests.drivers import postgres_server
from tests.drivers.conftest import GONE, HOST, REF, Door

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSSENC_REQUEST = struct.pack("!II", 8, 80877104)
DIRECT = {"sslmode": "require", "sslnegotiation": "direct"}

WAYS = {
    "user": {"user": f"postgres.{REF}"},
    "options": {"user": "postgres", "options": f"reference={REF}"},
    "options with -c": {"user": "postgres", "options": f"-c work_mem=3MB -c reference={REF}"},
    "db.<ref> host": {"user": "postgres", "host": f"db.{REF}.{HOST}", "sslmode": "require"},
    "<ref> host": {"user": "postgres", "host": f"{REF}.{HOST}", "sslmode": "require"},
    "direct TLS to the host": {"user": "postgres", "host": f"db.{REF}.{HOST}", **DIRECT},
}


def startup(**parameters: str) -> bytes:
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack("!II", len(body) + 8, 196608) + body


@pytest.mark.parametrize("way", WAYS)
async def test_a_project_is_found_by(way: str, door: Door) -> None:
    async with await door.connect(**WAYS[way]) as client:
        cursor = await client.execute("select current_user, current_setting('work_mem')")
        assert await cursor.fetchone() == ("postgres", "3MB" if "-c" in way else "4MB")


TLS: dict[str, dict[str, Any]] = {
    "off": {"sslmode": "disable"},
    "preferred": {"sslmode": "prefer"},
    "required": {"sslmode": "require"},
    "verified": {"sslmode": "verify-full"},
    "verified for a project's host": {"sslmode": "verify-full", "host": f"db.{REF}.{HOST}"},
    "verified for the pooler": {"sslmode": "verify-full", "host": f"pooler.{HOST}"},
    "verified for an address": {"sslmode": "verify-full", "host": "127.0.0.1"},
    "direct": {"sslmode": "verify-full", "sslnegotiation": "direct"},
    "1.2": {"sslmode": "require", "ssl_max_protocol_version": "TLSv1.2"},
}


@pytest.mark.parametrize("tls", TLS)
async def test_a_client_is_served_with_tls(tls: str, door: Door, authority: Authority) -> None:
    trust = {"sslrootcert": str(authority.certificate)} if "verify" in TLS[tls]["sslmode"] else {}
    async with await door.connect(**TLS[tls], **trust) as client:
        assert client.pgconn.ssl_in_use == (tls != "off")
        # Larger than a TLS record, and than what one read takes.
        cursor = await client.execute("select %s", ["x" * 3_000_000])
        row = await cursor.fetchone()
        assert row is not None
        assert len(row[0]) == 3_000_000


async def test_a_stranger_to_the_authority_is_not_trusted(door: Door, authority: Authority, tmp_path: Any) -> None:
    other = Authority(tmp_path)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        await door.connect(sslmode="verify-full", sslrootcert=str(other.certificate))


async def test_channel_binding_cannot_be_required(door: Door) -> None:
    with pytest.raises(psycopg.OperationalError, match="channel binding"):
        await door.connect(sslmode="require", channel_binding="require")


async def test_a_wrong_password_shows_the_error_of_postgres(door: Door) -> None:
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "postgres"'):
        await door.connect(password="wrong")


@pytest.mark.parametrize("sslmode", ["disable", "require"])
async def test_an_unknown_project_is_named(door: Door, sslmode: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="there is no project zzzzzzzzzzzzzzzzzzzz") as caught:
        await door.connect(user="postgres.zzzzzzzzzzzzzzzzzzzz", sslmode=sslmode)
    assert "Check the ref" in str(caught.value)


async def test_no_project_at_all_is_told_the_three_ways(door: Door) -> None:
    with pytest.raises(psycopg.OperationalError) as caught:
        await door.connect(user="postgres")
    for word in ("no project", "role.<ref>", "reference=<ref>", "db.<ref>.sb.test"):
        assert word in str(caught.value)


async def test_a_wrong_reference_is_refused(door: Door) -> None:
    with pytest.raises(psycopg.OperationalError, match="20 lower-case letters"):
        await door.connect(user="postgres", options="reference=Nonsense")


async def test_a_cluster_that_is_not_there_is_unreachable(door: Door) -> None:
    with pytest.raises(psycopg.OperationalError, match=f"project {GONE} is not reachable"):
        await door.connect(user=f"postgres.{GONE}")


@pytest.mark.parametrize(
    ("packet", "message"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"invalid length of startup packet"),
        (struct.pack("!II", 10_001, 196608), b"invalid length of startup packet"),
        (struct.pack("!I", 7), b"invalid length of startup packet"),
        (struct.pack("!II", 8, 196608), b"invalid startup packet layout"),
        (struct.pack("!II4s", 12, 196608, b"abcd"), b"invalid startup packet layout"),
        (struct.pack("!II4s", 12, 131072, b"a\0b\0"), b"unsupported frontend protocol 2"),
        (SSL_REQUEST + startup(user=f"postgres.{REF}"), b"received unencrypted data"),
        (GSSENC_REQUEST + startup(user=f"postgres.{REF}"), b"received unencrypted data"),
    ],
)
async def test_a_broken_start_is_answered_and_closed(packet: bytes, message: bytes, door: Door) -> None:
    reader, writer = await door.raw(packet)
    answer = await reader.read()
    assert answer.startswith(b"E")
    assert message in answer
    writer.close()


@pytest.mark.parametrize("hello", [b"\x16\x03\x01\x00\x05hello", SSL_REQUEST])
async def test_bytes_that_are_no_tls_end_the_connection(hello: bytes, door: Door) -> None:
    reader, writer = await door.raw(hello)
    if hello == SSL_REQUEST:
        assert await reader.readexactly(1) == b"S"
        writer.write(startup(user=f"postgres.{REF}"))
    assert b"SFATAL" not in await reader.read()
    writer.close()


async def test_gss_encryption_is_declined_and_tls_may_follow(door: Door) -> None:
    reader, writer = await door.raw(GSSENC_REQUEST)
    assert await reader.readexactly(1) == b"N"
    writer.write(SSL_REQUEST)
    assert await reader.readexactly(1) == b"S"
    writer.close()


class TestWithSmallLimits:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(handshake=0.2, connections=2, connect=0.2)

    @pytest.mark.parametrize("start", [b"", b"\0\0", SSL_REQUEST, b"\x16\x03"])
    async def test_a_slow_client_is_dropped(self, start: bytes, door: Door) -> None:
        reader, writer = await door.raw(start)
        try:
            await asyncio.wait_for(reader.read(), 2)
        except ConnectionResetError:
            pass
        writer.close()

    async def test_too_many_clients_are_told_so(self, door: Door) -> None:
        async with await door.connect(), await door.connect():
            with pytest.raises(psycopg.OperationalError, match="too many clients"):
                await door.connect()

    async def test_a_served_client_may_take_its_time(self, door: Door) -> None:
        async with await door.connect(sslmode="require") as client:
            await client.execute("select pg_sleep(0.3)")

    async def test_a_cluster_that_does_not_wake_is_a_timely_error(self, door: Door) -> None:
        async def never(ref: str) -> Route:
            await asyncio.Event().wait()
            raise AssertionError(ref)

        door.ingress._door.lookup = never
        with pytest.raises(psycopg.OperationalError, match="did not answer in time"):
            await door.connect()


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
        reader = KeyReader()
        for at in range(0, len(stream), size):
            reader.feed(stream[at : at + size])
        assert (reader.key, reader.done) == (key, True)


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


async def test_a_client_that_closes_one_way_still_gets_its_answer(door: Door, server: postgres_server.Server) -> None:
    reader, writer = await door.raw(startup(user=f"postgres.{REF}", database="postgres"))
    header = await reader.readexactly(5)
    assert header[:1] == b"R"
    await reader.readexactly(int.from_bytes(header[1:], "big") - 4)
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()


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
