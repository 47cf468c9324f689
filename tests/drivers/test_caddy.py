"""Caddy before the gateway: what comes through it, and that nothing is lost when its certificate is renewed."""

import asyncio
import json
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from baseplane.drivers.caddy import Acme
from tests.drivers.caddies import HOST, REF, caddy_in, fronting
from tests.drivers.gateways import answer_on
from tests.drivers.http_upstream import Visit
from tests.drivers.test_gateway_forwarding import SWITCHED, WEBSOCKET

GET = f"GET /x?y=1 HTTP/1.1\r\nHost: {REF}.{HOST}\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n".encode()


async def test_a_request_comes_through_with_its_host_and_its_clients_address() -> None:
    async with fronting() as front:
        reader, writer = await front.connect()
        writer.write(GET)
        assert (await answer_on(reader))[2] == b"hello"
        writer.close()
        request = front.gateway.rules.requests[0]
    assert (request.host, request.target, request.encrypted) == (f"{REF}.{HOST}", "/x?y=1", True)
    assert request.address == "127.0.0.1"


async def test_with_a_trusted_proxy_before_it_the_address_is_what_that_one_tells() -> None:
    async with fronting(proxies=1) as front:
        reader, writer = await front.connect()
        writer.write(GET)
        assert (await answer_on(reader))[0] == 200
        writer.close()
        assert front.gateway.rules.requests[0].address == "6.6.6.6"


async def test_events_and_websockets_stream_through_and_outlive_a_new_certificate() -> None:
    go_on: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(visit: Visit) -> None:
        if visit.header("upgrade"):
            await visit.send(SWITCHED)
            while data := await visit.reader.read(65536):
                await visit.send(data.upper())
            return
        await visit.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        while event := await go_on.get():
            await visit.send(b"%x\r\n%b\r\n" % (len(event), event))
        await visit.send(b"0\r\n\r\n")

    async with fronting(age=timedelta(days=340)) as front, asyncio.timeout(20):
        front.gateway.upstream.handler = serve
        events, events_writer = await front.connect()
        events_writer.write(GET)
        socket, socket_writer = await front.connect()
        socket_writer.write(WEBSOCKET)
        assert (await socket.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        await events.readuntil(b"\r\n\r\n")
        before = await front.serial()

        assert await front.caddy.keep_current()
        assert not await front.caddy.keep_current()
        while await front.serial() == before:
            await asyncio.sleep(0.02)

        for event in (b"one", b"two"):
            go_on.put_nowait(event)
            assert await events.readexactly(8) == b"3\r\n%b\r\n" % event
        socket_writer.write(b"still here")
        assert await socket.readexactly(10) == b"STILL HERE"
        go_on.put_nowait(b"")
        assert await events.readexactly(5) == b"0\r\n\r\n"
        for writer in (events_writer, socket_writer):
            writer.close()


async def test_a_large_body_streams_through_both_ways() -> None:
    async def echo(visit: Visit) -> None:
        body = await visit.body()
        await visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    async with fronting() as front:
        front.gateway.upstream.handler = echo
        reader, writer = await front.connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5_000_000)
        assert (await answer_on(reader))[2] == b"x" * 5_000_000
        writer.close()


async def test_without_a_gateway_it_says_so() -> None:
    async with fronting() as front:
        await front.gateway.server.close()
        reader, writer = await front.connect()
        writer.write(GET)
        status, headers, body = await answer_on(reader)
        writer.close()
    assert status == 503
    assert headers["access-control-allow-origin"] == "*"
    assert json.loads(body)["code"] == "GATEWAY_UNAVAILABLE"


async def test_what_it_writes_down_holds_no_key() -> None:
    async def die(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        visit.writer.close()

    async with fronting() as front:
        front.gateway.upstream.handler = die
        reader, writer = await front.connect()
        writer.write(b"GET /?apikey=sb_secret_a HTTP/1.1\r\nHost: a\r\napikey: sb_secret_b\r\n\r\n")
        assert (await reader.read()).endswith(b"half")
        async with asyncio.timeout(5):
            while "incomplete" not in (text := front.caddy.log.read_text()):
                await asyncio.sleep(0.02)
        writer.close()
    assert "sb_secret" not in text


async def test_public_certificates_are_asked_for_only_where_a_project_is() -> None:
    asked: list[str] = []

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode()
        asked.append(line.split()[1])
        is_known = f"domain={REF}.{HOST}" in line
        writer.write(b"HTTP/1.1 %d x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % (200 if is_known else 404))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(ask, "127.0.0.1", 0)
    permission = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/known"
    directory, orders = "http://127.0.0.1:9/directory", ""  # nobody is there
    async with fronting(email="ops@example.com", directory=directory, ask=permission) as front:
        for name in (f"{REF}.{HOST}", f"{'z' * 20}.{HOST}"):
            with pytest.raises((ssl.SSLError, ConnectionError, TimeoutError)):
                async with asyncio.timeout(5):
                    await front.connect(name)
        async with asyncio.timeout(10):
            while f"{REF}.{HOST}" not in orders:
                lines = front.caddy.log.read_text().splitlines()
                orders = "\n".join(line for line in lines if '"logger":"tls.obtain"' in line)
                await asyncio.sleep(0.05)
        _, writer = await front.connect(HOST)  # its own name shows the platform's certificate
        writer.close()
    server.close()
    assert {f"/known?domain={REF}.{HOST}", f"/known?domain={'z' * 20}.{HOST}"} <= set(asked)
    assert "z" * 20 not in orders


async def test_its_key_and_sockets_are_its_own(tmp_path: Path) -> None:
    async with fronting() as front:
        for path in (front.caddy.home, front.caddy.sockets):
            assert path.stat().st_mode & 0o777 == 0o700
            assert path.stat().st_uid == front.caddy.account.uid
        assert (front.caddy.home / "caddy.json").stat().st_mode & 0o777 == 0o600
        assert front.caddy.admin.stat().st_mode & 0o777 == 0o600
    acme = Acme("ops@example.com", "https://acme.example/directory", "http://127.0.0.1:8000/known")
    assert "on_demand" in json.dumps(caddy_in(tmp_path, acme=acme).config()["apps"]["tls"])
