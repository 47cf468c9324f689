"""The Postgres door, through psycopg and raw sockets, in front of a real Postgres."""

import asyncio
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from baseplane.drivers.certificates import Authority
from baseplane.drivers.ingress import Limits, Refused
from baseplane.drivers.ingress import startup as packets
from tests.drivers.conftest import DIRECT, GONE, GSSENC_REQUEST, HOST, REF, SSL_REQUEST, Door, startup

WAYS = {
    "user": {"user": f"postgres.{REF}"},
    "options": {"user": "postgres", "options": f"reference={REF}"},
    "options with -c": {"user": "postgres", "options": f"-c work_mem=3MB -c reference={REF}"},
    "db.<ref> host": {"user": "postgres", "host": f"db.{REF}.{HOST}", "sslmode": "require"},
    "<ref> host": {"user": "postgres", "host": f"{REF}.{HOST}", "sslmode": "require"},
    "direct TLS to the host": {"user": "postgres", "host": f"db.{REF}.{HOST}", **DIRECT},
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_project_is_found_by(way: str, door: Door) -> None:
    async with await door.connect(**WAYS[way]) as client:
        cursor = await client.execute("select current_user, current_setting('work_mem')")
        assert await cursor.fetchone() == ("postgres", "3MB" if "-c" in way else "4MB")


async def test_without_a_database_the_users_own_is_meant(door: Door) -> None:
    async with await door.connect(dbname=None) as client:
        cursor = await client.execute("select current_database()")
        assert await cursor.fetchone() == ("postgres",)


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


async def test_a_stranger_to_the_authority_is_not_trusted(door: Door, authority: Authority, tmp_path: Path) -> None:
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
        with suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 2)
        writer.close()

    async def test_too_many_clients_are_told_so(self, door: Door) -> None:
        async with await door.connect(), await door.connect():
            with pytest.raises(psycopg.OperationalError, match="too many clients"):
                await door.connect()

    async def test_a_served_client_may_take_its_time(self, door: Door) -> None:
        async with await door.connect(sslmode="require") as client:
            await client.execute("select pg_sleep(0.3)")

    async def test_a_cluster_that_does_not_wake_is_a_timely_error(self, door: Door) -> None:
        door.rules.wakes = False
        with pytest.raises(psycopg.OperationalError, match="did not answer in time"):
            await door.connect()


@pytest.mark.parametrize(
    ("options", "by_token", "rest"),
    [
        ("-c jit=on", True, None),
        ("-cjit=on", True, None),
        ("--jit=on -c work_mem=8MB", True, "-c work_mem=8MB"),
        ("-c work_mem=8MB -c jit=true", True, "-c work_mem=8MB"),
        ("-c jit=off", False, "-c jit=off"),
        ("-c jit=only", False, "-c jit=only"),
        ("-c my.jit=on", False, "-c my.jit=on"),
    ],
)
def test_the_wish_to_show_a_token_is_kept_from_the_cluster(options: str, by_token: bool, rest: str | None) -> None:
    admission = packets.admit(startup(user=f"postgres.{REF}", options=options), None, HOST)
    assert admission.by_token is by_token
    assert admission.packet == startup(user="postgres", **({"options": rest} if rest else {}))
    assert packets.with_user(admission.packet, "jit") == startup(user="jit", **({"options": rest} if rest else {}))


REPLICA = f"{REF}-rr-ap-southeast-1-qwert"


@pytest.mark.parametrize(
    ("parameters", "server_name"),
    [
        ({"user": f"postgres.{REPLICA}"}, None),
        ({"user": f"a.b.{REPLICA}"}, None),
        ({"user": "postgres", "options": f"-c reference={REPLICA}"}, None),
        ({"user": "postgres"}, f"db.{REPLICA}.{HOST}"),
        ({"user": "postgres"}, f"{REPLICA}.{HOST}"),
    ],
)
def test_a_read_replica_is_named_as_its_project_is(parameters: dict[str, str], server_name: str | None) -> None:
    admission = packets.admit(startup(**parameters), server_name, HOST)
    assert (admission.ref, admission.replica) == (REF, REPLICA)
    assert admission.packet == startup(user=parameters["user"].removesuffix(f".{REPLICA}"))


@pytest.mark.parametrize(
    "name",
    [
        f"{REF}-rr-eu-west-1-qwer",
        f"{REF}-rr-eu-west-1-qwertz",
        f"{REF}-rr-EU-WEST-1-qwert",
        f"{REF}-rr-../..-1-qwert",
        f"{REF}-rr--west-1-qwert",
        f"{REF[1:]}-rr-eu-west-1-qwert",
        f"{REF}-qwert",
        f"{REF}/",
    ],
)
def test_what_only_resembles_a_name_names_nothing(name: str) -> None:
    for parameters, server_name in (({"user": f"postgres.{name}"}, None), ({"user": "x"}, f"db.{name}.{HOST}")):
        with pytest.raises(Refused, match="no project was named"):
            packets.admit(startup(**parameters), server_name, HOST)
    with pytest.raises(Refused, match="names no project"):
        packets.admit(startup(user="x", options=f"reference={name}"), None, HOST)
