"""The gateway passes requests and answers on as streams, in front of a real server on a Unix socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from baseplane.drivers.gateway import Answer, Limits, Request
from tests.drivers.gateways import GET, Gateway, answer_on, gateway_with
from tests.drivers.http_upstream import OK, Visit, sends


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with gateway_with() as gateway:
        yield gateway


async def test_a_request_arrives_with_its_target_headers_and_body(gateway: Gateway) -> None:
    bodies = []

    async def keep(visit: Visit) -> None:
        bodies.append(await visit.body())
        await visit.send(OK)

    gateway.upstream.handler = keep
    async with gateway.http() as http:
        answer = await http.post("/a%20b?c=d&e", content=b"x" * 300_000, headers={"X-Own": "1, 2"})
    assert (answer.status_code, answer.text) == (200, "hello")
    assert gateway.upstream.last.line == "POST /a%20b?c=d&e HTTP/1.1"
    assert gateway.upstream.last.header("x-own") == "1, 2"
    assert gateway.upstream.last.header("host") == f"127.0.0.1:{gateway.port}"
    assert bodies == [b"x" * 300_000]


async def test_a_body_of_unknown_length_arrives_in_chunks_as_it_comes(gateway: Gateway) -> None:
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def count(visit: Visit) -> None:
        while size := int((await visit.reader.readline()).strip(), 16):
            await arrived.put((await visit.reader.readexactly(size + 2))[:-2])
        await visit.reader.readexactly(2)
        await visit.send(OK)

    async def parts() -> AsyncIterator[bytes]:
        for part in (b"one", b"two", b"three"):
            yield part
            assert await arrived.get() == part  # before the next one is sent

    gateway.upstream.handler = count
    async with gateway.http() as http:
        answer = await http.put("/", content=parts())
    assert answer.status_code == 200
    assert gateway.upstream.last.header("content-length") is None


async def test_an_answer_streams_to_the_client_as_it_comes(gateway: Gateway) -> None:
    go_on = asyncio.Event()

    async def events(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for number in range(3):
            await visit.send(b"9\r\ndata: %d\n\n\r\n" % number)
            await go_on.wait()
            go_on.clear()
        await visit.send(b"0\r\n\r\n")

    gateway.upstream.handler = events
    async with gateway.http() as http, http.stream("GET", "/") as answer:
        number = 0
        async for text in answer.aiter_text():
            assert text == f"data: {number}\n\n"
            number += 1
            go_on.set()
    assert number == 3


async def test_answers_keep_their_status_headers_and_cookies(gateway: Gateway) -> None:
    gateway.upstream.handler = sends(
        b"HTTP/1.1 540 Whatever\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Odd: \xe9\r\nContent-Length: 0\r\n\r\n"
    )
    async with gateway.http() as http:
        answer = await http.get("/")
    assert answer.status_code == 540
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["x-odd"] == "\xe9"


BODILESS = {
    "HEAD with a length": ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "5"),
    "HEAD in chunks": ("HEAD", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", None),
    "HEAD without framing": ("HEAD", b"HTTP/1.1 200 OK\r\n\r\n", None),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", None),
    "304 with a length": ("GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", "5"),
}


@pytest.mark.parametrize("case", BODILESS)
async def test_an_answer_without_a_body_leaves_the_connection_in_step(case: str, gateway: Gateway) -> None:
    method, answer, length = BODILESS[case]
    gateway.upstream.handler = sends(answer)
    reader, writer = await gateway.raw(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    async with asyncio.timeout(5):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert ("content-length: 5" in head) == (length == "5")
    gateway.upstream.handler = sends(OK)
    writer.write(GET)
    assert (await answer_on(reader))[2] == b"hello"
    writer.close()


async def test_informational_answers_are_not_taken_for_the_answer(gateway: Gateway) -> None:
    gateway.upstream.handler = sends(
        b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", OK
    )
    async with gateway.http() as http:
        answer = await http.get("/")
    assert (answer.status_code, answer.text) == (200, "hello")
    assert "link" not in answer.headers


async def test_an_answer_that_ends_with_its_connection_is_whole(gateway: Gateway) -> None:
    async def until_the_end(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 200 OK\r\n\r\npart one, part two")
        visit.writer.close()

    gateway.upstream.handler = until_the_end
    async with gateway.http() as http:
        assert (await http.get("/")).text == "part one, part two"
        assert (await http.get("/")).text == "part one, part two"
    old = await gateway.say(b"GET / HTTP/1.0\r\n\r\n")
    assert old.endswith(b"\r\n\r\npart one, part two")
    assert b"connection: close" in old
    assert b"transfer-encoding" not in old


async def test_trailers_are_dropped_on_both_ways(gateway: Gateway) -> None:
    gateway.upstream.handler = sends(
        b"HTTP/1.1 200 OK\r\ntrailer: x-t\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"
    )
    reader, writer = await gateway.raw(
        b"POST / HTTP/1.1\r\nHost: a\r\nTrailer: x-s\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-S: 1\r\n\r\n"
    )
    async with asyncio.timeout(5):
        said = await reader.readuntil(b"0\r\n\r\n")
    assert b"x-t" not in said.lower()
    assert gateway.upstream.last.header("trailer") is None
    writer.close()


HOP_BY_HOP = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
    b"Proxy-Authorization: x\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nX-Kept: 1\r\n\r\n"
)


async def test_what_concerns_one_connection_is_not_passed_on(gateway: Gateway) -> None:
    gateway.upstream.handler = sends(
        b"HTTP/1.1 200 OK\r\nConnection: x-own\r\nX-Own: 1\r\nKeep-Alive: timeout=1\r\nX-Stays: 1\r\nContent-Length: 0\r\n\r\n"
    )
    reader, writer = await gateway.raw(HOP_BY_HOP)
    _, headers, _ = await answer_on(reader)
    assert headers.keys() >= {"x-stays", "sb-request-id"}
    assert not headers.keys() & {"connection", "x-own", "keep-alive"}
    names = {name for name, _ in gateway.upstream.last.headers}
    assert "x-kept" in names
    assert not names & {
        "connection",
        "keep-alive",
        "te",
        "proxy-authorization",
        "proxy-connection",
        "upgrade",
        "x-mine",
    }
    writer.close()


STRANGE = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Forwarded-Anything": "1", "X-Real-IP": "6.6.6.6",
           "Forwarded": "for=6.6.6.6", "CF-Connecting-IP": "6.6.6.6", "SB-Request-Id": "mine"}  # fmt: skip


async def test_what_strangers_say_of_where_they_come_from_is_replaced(gateway: Gateway) -> None:
    async with gateway.http() as http:
        answer = await http.get("/", headers={**STRANGE, "X-Forwarded-Host": "evil"})
    seen = gateway.upstream.last
    assert seen.header("x-forwarded-for") == seen.header("x-real-ip") == "127.0.0.1"
    assert seen.header("x-forwarded-proto") == "http"
    assert seen.header("x-forwarded-host") == seen.header("host")
    assert seen.header("sb-request-id") == answer.headers["sb-request-id"] == gateway.rules.requests[0].id
    assert not {"forwarded", "cf-connecting-ip", "x-forwarded-anything"} & {name for name, _ in seen.headers}
    assert gateway.rules.requests[0].address == "127.0.0.1"
    assert not gateway.rules.requests[0].encrypted


@pytest.mark.parametrize(
    ("told", "believed"),
    [
        ("1.1.1.1", "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1", "1.1.1.1"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("no address", "127.0.0.1"),
    ],
)
async def test_a_trusted_proxy_tells_the_client(told: str, believed: str) -> None:
    async with gateway_with(proxies=1) as gateway, gateway.http() as http:
        await http.get("/", headers={"X-Forwarded-For": told, "X-Forwarded-Proto": "https"})
        assert gateway.rules.requests[0].address == believed
        assert gateway.rules.requests[0].encrypted
        assert gateway.upstream.last.header("x-forwarded-proto") == "https"


async def test_the_router_changes_target_and_headers_both_ways(gateway: Gateway) -> None:
    async def decide(request: Request) -> object:
        gateway.rules.forward = {
            "headers": {"authorization": "Bearer new", "apikey": None},
            "answer_headers": {"x-added": "1", "content-type": None},
        }
        return gateway.rules.to_upstream(request)

    gateway.rules.decide = decide  # type: ignore[assignment]
    async with gateway.http() as http:
        answer = await http.get("/", headers={"apikey": "k", "Authorization": "Bearer old"})
    assert gateway.upstream.last.header("authorization") == "Bearer new"
    assert gateway.upstream.last.header("apikey") is None
    assert answer.headers["x-added"] == "1"
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("where", ["headers", "answer_headers", "target"])
async def test_a_router_cannot_break_out_of_a_line(where: str, gateway: Gateway) -> None:
    evil = "a\r\nx-evil: 1"
    if where == "target":

        async def decide(_: Request) -> object:
            from baseplane.drivers.gateway import Forward

            return Forward(gateway.rules.socket, f"/ HTTP/1.1\r\nx: {evil}")

        gateway.rules.decide = decide  # type: ignore[assignment]
    else:
        gateway.rules.forward = {where: {"x-a": evil}}
    async with gateway.http() as http:
        answer = await http.get("/")
    assert answer.status_code in {500, 502}
    assert "x-evil" not in answer.headers


async def test_connections_to_the_upstream_are_kept(gateway: Gateway) -> None:
    async with gateway.http() as http:
        for _ in range(5):
            assert (await http.get("/")).text == "hello"
    async with gateway.http() as http:
        assert (await http.post("/", content=b"abc")).text == "hello"
    assert gateway.upstream.connections == 1


async def test_an_upstream_that_asks_for_it_is_left(gateway: Gateway) -> None:
    gateway.upstream.handler = sends(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    async with gateway.http() as http:
        for _ in range(2):
            answer = await http.get("/")
            assert answer.text == "hello"
            assert "connection" not in answer.headers
    assert gateway.upstream.connections == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_idle_connection_that_the_upstream_closed_is_nobodys_error(method: str, gateway: Gateway) -> None:
    async with gateway.http() as http:
        assert (await http.get("/")).text == "hello"
        for _ in range(20):
            for writer in list(gateway.upstream.open):
                writer.transport.abort()
            assert (await http.request(method, "/")).text == "hello"


async def test_a_request_on_a_connection_that_broke_just_then_is_made_once_more(gateway: Gateway) -> None:
    async def fail_when_reused(visit: Visit) -> None:
        if len(gateway.upstream.visits) == 2:
            visit.writer.transport.abort()
        else:
            await visit.body()
            await visit.send(OK)

    gateway.upstream.handler = fail_when_reused
    async with gateway.http() as http:
        assert (await http.get("/")).text == "hello"
        assert (await http.get("/")).text == "hello"
    assert len(gateway.upstream.visits) == 3
    assert gateway.rules.released == 2


async def test_a_body_that_was_sent_is_not_sent_twice(gateway: Gateway) -> None:
    async def fail_when_reused(visit: Visit) -> None:
        await visit.body()
        if len(gateway.upstream.visits) == 2:
            visit.writer.transport.abort()
        else:
            await visit.send(OK)

    gateway.upstream.handler = fail_when_reused
    async with gateway.http() as http:
        assert (await http.get("/")).text == "hello"
        assert (await http.post("/", content=b"once")).status_code == 502
    assert len(gateway.upstream.visits) == 2


async def test_pipelined_requests_are_answered_in_order(gateway: Gateway) -> None:
    async def echo(visit: Visit) -> None:
        body = await visit.body()
        text = visit.line.split()[1].encode() + b" " + body
        await visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text))

    gateway.upstream.handler = echo
    requests = [
        b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nb%03d" % (number, number) for number in range(200)
    ]
    reader, writer = await gateway.raw(b"".join(requests))
    for number in range(200):
        assert (await answer_on(reader))[2] == b"/%d b%03d" % (number, number)
    writer.close()


async def test_http_1_0_is_served_and_closed(gateway: Gateway) -> None:
    said = await gateway.say(b"GET / HTTP/1.0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert said.endswith(b"hello")


async def test_a_client_may_ask_for_the_end_of_the_connection(gateway: Gateway) -> None:
    said = await gateway.say(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert b"connection: close" in said
    assert said.endswith(b"hello")


async def test_an_absolute_target_names_the_host(gateway: Gateway) -> None:
    reader, writer = await gateway.raw(b"GET http://Right.Test:80?a HTTP/1.1\r\nHost: wrong\r\n\r\n")
    assert (await answer_on(reader))[0] == 200
    assert gateway.rules.requests[0].host == "right.test"
    assert gateway.rules.requests[0].target == "/?a"
    assert gateway.upstream.last.header("host") == "Right.Test:80"
    writer.close()


async def test_who_waits_for_permission_gets_it_when_the_request_has_a_place(gateway: Gateway) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    reader, writer = await gateway.raw(head)
    async with asyncio.timeout(5):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"body")
    assert (await answer_on(reader))[2] == b"hello"
    assert gateway.upstream.last.header("expect") is None
    writer.close()


async def test_who_waits_for_permission_is_refused_without_it(gateway: Gateway) -> None:
    async def decide(_: Request) -> object:
        return Answer(401, b"no")

    gateway.rules.decide = decide  # type: ignore[assignment]
    said = await gateway.say(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 401 ")
    assert said.endswith(b"no")


async def test_an_answer_of_the_router_leaves_the_connection_in_step(gateway: Gateway) -> None:
    async def decide(_: Request) -> object:
        return Answer(401, b"no", {"x-why": "because"}, {"key": "none"})

    gateway.rules.decide = decide  # type: ignore[assignment]
    async with gateway.http() as http:
        for _ in range(3):
            answer = await http.post("/", content=b"body")
            assert (answer.status_code, answer.text, answer.headers["x-why"]) == (401, "no", "because")
    assert [record.about["key"] for record in await gateway.rules.recorded(3)] == ["none"] * 3
    assert gateway.server.connections <= 1


async def test_an_answer_before_the_body_has_come_keeps_the_connection_if_it_is_short(gateway: Gateway) -> None:
    async def decide(request: Request) -> object:
        return Answer(401, b"no") if request.method == "POST" else gateway.rules.to_upstream(request)

    gateway.rules.decide = decide  # type: ignore[assignment]
    reader, writer = await gateway.raw(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n")
    status, headers, _ = await answer_on(reader)
    assert status == 401
    assert "connection" not in headers
    writer.write(b"x" * 60 + GET)
    assert (await answer_on(reader))[2] == b"hello"
    writer.close()


async def test_a_body_that_stops_after_its_answer_ends_the_connection() -> None:
    async def decide(_: Request) -> object:
        return Answer(401, b"no")

    async with gateway_with(Limits(idle=0.1)) as short:
        short.rules.decide = decide  # type: ignore[assignment]
        said = await short.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\nabc")
    assert said.count(b"HTTP/1.1 401 ") == 1
    assert said.endswith(b"no")


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 4\r\n\r\nbody", b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"]
)
async def test_an_offer_of_http_2_is_ignored_and_its_body_is_not_lost(framing: bytes, gateway: Gateway) -> None:
    bodies = []

    async def keep(visit: Visit) -> None:
        bodies.append(await visit.body())
        await visit.send(OK)

    gateway.upstream.handler = keep
    head = (
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"
    )
    reader, writer = await gateway.raw(head + framing + GET)
    assert (await answer_on(reader))[2] == b"hello"
    assert (await answer_on(reader))[2] == b"hello"
    assert bodies == [b"body", b""]
    assert gateway.upstream.visits[0].header("upgrade") is None
    writer.close()


WEBSOCKET = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"


async def test_a_websocket_becomes_a_plain_stream(gateway: Gateway) -> None:
    async def echo(visit: Visit) -> None:
        await visit.send(SWITCHED + b"first")
        while data := await visit.reader.read(65536):
            await visit.send(data.upper())

    gateway.upstream.handler = echo
    reader, writer = await gateway.raw(WEBSOCKET)
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"upgrade: websocket\r\n" in head
        assert b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        assert await reader.readexactly(5) == b"first"
        for size in (3, 200_000):
            writer.write(b"x" * size)
            assert await reader.readexactly(size) == b"X" * size
        writer.close()
    record = (await gateway.rules.recorded())[0]
    assert (record.status, record.received, record.sent, record.error) == (101, 200_003, 200_008, None)
    assert gateway.upstream.last.header("upgrade") == "websocket"
    assert gateway.upstream.last.header("connection") == "upgrade"
    assert gateway.rules.released == 1


async def test_a_websocket_may_follow_a_request_at_once_and_its_data_wait_for_it(gateway: Gateway) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def echo(visit: Visit) -> None:
        if visit.header("upgrade") is None:
            await visit.send(OK)
            return
        asked.set()
        await go_on.wait()
        await visit.send(SWITCHED)
        while data := await visit.reader.read(65536):
            await visit.send(data.upper())

    gateway.upstream.handler = echo
    reader, writer = await gateway.raw(GET + WEBSOCKET)
    async with asyncio.timeout(10):
        assert (await answer_on(reader))[2] == b"hello"
        await asked.wait()
        writer.write(GET)
        while not any(client._ahead for client in gateway.server._door.clients):  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
        go_on.set()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        assert await reader.readexactly(len(GET)) == GET.upper()
    writer.close()


async def test_a_websocket_ends_when_the_upstream_ends_it(gateway: Gateway) -> None:
    async def bye(visit: Visit) -> None:
        await visit.send(SWITCHED + b"bye")
        visit.writer.close()

    gateway.upstream.handler = bye
    assert (await gateway.say(WEBSOCKET)).endswith(b"\r\n\r\nbye")
    assert (await gateway.rules.recorded())[0].error is None


async def test_a_refused_websocket_leaves_the_connection_in_step(gateway: Gateway) -> None:
    reader, writer = await gateway.raw(WEBSOCKET)
    assert (await answer_on(reader))[2] == b"hello"
    writer.write(GET)
    assert (await answer_on(reader))[2] == b"hello"
    writer.close()


async def test_what_follows_a_refused_websocket_request_unasked_is_not_read_as_a_request(gateway: Gateway) -> None:
    said = await gateway.say(WEBSOCKET + GET)
    assert said.count(b"HTTP/1.1 200") == 1
    assert len(gateway.upstream.visits) == 1


async def test_an_upstream_cannot_change_the_protocol_unasked(gateway: Gateway) -> None:
    gateway.upstream.handler = sends(SWITCHED)
    async with gateway.http() as http:
        assert (await http.get("/")).status_code == 502


async def test_many_clients_are_served_side_by_side(gateway: Gateway) -> None:
    async with gateway.http() as http:
        answers = await asyncio.gather(*(http.get(f"/{number}") for number in range(300)))
    assert {answer.text for answer in answers} == {"hello"}
    assert len(await gateway.rules.recorded(300)) == 300
    assert gateway.rules.released == 300


async def test_a_slow_reader_makes_the_upstream_wait(gateway: Gateway) -> None:
    sent = 0

    async def flood(visit: Visit) -> None:
        nonlocal sent
        await visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(500):
                await visit.send(b"x" * 100_000)
                sent += 100_000

    gateway.upstream.handler = flood
    reader, writer = await gateway.raw(GET)
    await reader.readuntil(b"\r\n\r\n")
    before = -1
    while sent != before:  # until it stands still
        before = sent
        await asyncio.sleep(0.2)
    assert sent < 20_000_000
    assert gateway.buffered() < 1_000_000
    async with asyncio.timeout(20):
        assert len(await reader.readexactly(50_000_000)) == 50_000_000
    writer.close()


async def test_a_slow_upstream_makes_the_client_wait(gateway: Gateway) -> None:
    go_on = asyncio.Event()

    async def slow(visit: Visit) -> None:
        await go_on.wait()
        assert len(await visit.body()) == 20_000_000
        await visit.send(OK)

    gateway.upstream.handler = slow
    reader, writer = await gateway.raw(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n")
    writer.write(b"x" * 20_000_000)
    before = -1
    while writer.transport.get_write_buffer_size() != before:  # type: ignore[attr-defined]
        before = writer.transport.get_write_buffer_size()  # type: ignore[attr-defined]
        await asyncio.sleep(0.2)
    assert before > 5_000_000, "it was read though nobody takes it"
    go_on.set()
    assert (await answer_on(reader))[2] == b"hello"
    writer.close()


@pytest.mark.parametrize(("status", "code"), [(500, "FAILED"), (599, "FAILED"), (499, None), (200, None)])
async def test_failures_of_the_upstream_get_headers_of_their_own(
    gateway: Gateway, status: int, code: str | None
) -> None:
    gateway.rules.forward = {"answer_headers": {"sb-error-code": None}, "error_headers": {"sb-error-code": "FAILED"}}
    head = b"HTTP/1.1 %d x\r\nsb-error-code: made up\r\ncontent-length: 0\r\n\r\n" % status
    gateway.upstream.handler = sends(head)
    async with gateway.http() as http:
        answer = await http.get("/")
    assert (answer.status_code, answer.headers.get("sb-error-code")) == (status, code)


@pytest.mark.parametrize("status", [600, 999])
async def test_a_status_that_is_none_is_not_passed_on(gateway: Gateway, status: int) -> None:
    gateway.upstream.handler = sends(b"HTTP/1.1 %d x\r\ncontent-length: 5\r\n\r\nhello" % status)
    async with gateway.http() as http:
        answer = await http.get("/")
        assert (answer.status_code, answer.headers["sb-error-code"]) == (502, "INVALID_RESPONSE_STATUS_CODE")
        assert str(status) in answer.json()["message"]
        gateway.upstream.handler = sends(OK)
        assert (await http.get("/")).text == "hello"
