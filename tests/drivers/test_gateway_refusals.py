"""What the gateway does not take: whatever two programs could read in two ways."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from baseplane.drivers.gateway import Limits
from tests.drivers.gateways import GET, Gateway, answer_on, gateway_with
from tests.drivers.http_upstream import OK, Visit, sends

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
REFUSED = {
    "both framings": (400, POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "both framings, the other way round": (
        400,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ),
    "two lengths": (400, POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    "the same length twice": (400, POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    "a list of lengths": (400, POST + b"Content-Length: 3, 3\r\n\r\nabc"),
    "a length with a sign": (400, POST + b"Content-Length: +3\r\n\r\nabc"),
    "a negative length": (400, POST + b"Content-Length: -3\r\n\r\nabc"),
    "an empty length": (400, POST + b"Content-Length: \r\n\r\nabc"),
    "a length beyond 64 bits": (400, POST + b"Content-Length: 99999999999999999999\r\n\r\nabc"),
    "chunked twice": (400, POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a coding after chunked": (400, POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    "a coding that looks like chunked": (501, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "another coding": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunked in HTTP/1.0": (400, b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a chunk size in another notation": (400, CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n"),
    "a chunk size beyond 64 bits": (400, CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    "a chunk longer than it says": (400, CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n"),
    "chunks with bare line feeds": (400, CHUNKED + b"3\nabc\n0\n\n"),
    "a space after a chunk size": (400, CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n"),
    "bare line feeds": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "one bare line feed": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n"),
    "a bare carriage return": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n"),
    "a folded line": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
    "a line that begins with a space": (400, b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    "a null": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    "a space before the colon": (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc"),
    "a header without a name": (400, b"GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two hosts": (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    "a host with a path": (400, b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "a host with a user": (400, b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    "a target that is an authority": (405, b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
    "a target that is an asterisk": (400, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target with a fragment": (400, b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target with a space": (400, b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target with a tab": (400, b"GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target with a control character": (400, b"GET /a\x01b HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target outside of ASCII": (400, b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target of another scheme": (400, b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    "an absolute target with a user": (400, b"GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n"),
    "an unknown method": (400, b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a method in lower case": (400, b"get / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "TRACE": (405, b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another version": (505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    "no version": (505, b"GET /\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "another expectation": (417, POST + b"Expect: wonders\r\nContent-Length: 3\r\n\r\nabc"),
    "a head too long": (431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"),
    "a head that does not end": (431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000),
    "a target too long": (414, b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    "too many headers": (431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
    "trailers without end": (431, CHUNKED + b"0\r\nX: " + b"x" * 20_000),
}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with gateway_with(Limits(head=16_384)) as gateway:
        yield gateway


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused(case: str, gateway: Gateway) -> None:
    status, request = REFUSED[case]
    said = await gateway.say(request + GET)
    assert said.startswith(b"HTTP/1.1 %d " % status), said
    assert len(re.findall(rb"HTTP/1.1 \d", said)) == 1, "what follows was taken for another request"
    assert b'{"message":"' in said
    assert re.search(rb"\r\nsb-error-code: [A-Z_]+\r\n", said)
    assert b"connection: close" in said
    record = (await gateway.rules.recorded())[0]
    assert (record.status, bool(record.about["reason"])) == (status, True)
    assert len(gateway.rules.records) == 1
    assert gateway.server.connections <= 1


async def test_what_comes_before_a_refused_request_is_answered_first(gateway: Gateway) -> None:
    said = await gateway.say(GET + b"GET / HTTP/1.1\r\nbroken\r\n\r\n" + GET)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.count(b"HTTP/1.1 ") == 2
    assert b"helloHTTP/1.1 400 " in said


async def test_what_follows_an_offer_of_another_protocol_is_read_as_strictly(gateway: Gateway) -> None:
    offer = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    said = await gateway.say(offer + POST + b"Expect: wonders\r\n\r\n" + GET)
    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [b"200", b"417"]


async def test_a_body_that_breaks_later_ends_the_request_at_the_upstream(gateway: Gateway) -> None:
    gone = asyncio.Event()

    async def wait(visit: Visit) -> None:
        await visit.gone()
        gone.set()

    gateway.upstream.handler = wait
    reader, writer = await gateway.raw(CHUNKED + b"3\r\nabc\r\n")
    async with asyncio.timeout(5):
        while not gateway.upstream.visits:
            await asyncio.sleep(0.01)
        writer.write(b"nonsense\r\n")
        await gone.wait()
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    assert gateway.rules.released == 1
    writer.close()


async def test_odd_requests_that_mean_one_thing_only_are_taken(gateway: Gateway) -> None:
    for request in (
        b"\r\n\r\n" + GET,
        b"GET / HTTP/1.1\r\nhOsT: a\r\nX-Empty:\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        CHUNKED + b"3;name=value\r\nabc\r\n0\r\n\r\n",
        POST + b"Content-Length: 3 \r\n\r\nabc",
    ):
        reader, writer = await gateway.raw(request)
        assert (await answer_on(reader))[0] == 200
        writer.close()


async def test_a_head_may_come_byte_by_byte(gateway: Gateway) -> None:
    reader, writer = await gateway.raw(*(bytes([byte]) for byte in POST + b"Content-Length: 3\r\n\r\nabc"), pause=0.001)
    assert (await answer_on(reader))[2] == b"hello"
    assert gateway.upstream.last.header("content-length") == "3"
    writer.close()


BROKEN_ANSWERS = {
    "both framings": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    "no HTTP": b"220 mail.example.test ESMTP\r\n",
    "a folded line": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a head too long": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    "a head that does not end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000,
}


@pytest.mark.parametrize("case", BROKEN_ANSWERS)
async def test_an_answer_that_cannot_be_trusted_is_not_passed_on(case: str, gateway: Gateway) -> None:
    gateway.upstream.handler = sends(BROKEN_ANSWERS[case])
    async with gateway.http() as http:
        answer = await http.get("/")
        assert answer.status_code == 502
        gateway.upstream.handler = sends(OK)
        assert (await http.get("/")).text == "hello"
    assert gateway.rules.released == 2


async def test_what_an_upstream_says_after_its_answer_reaches_nobody(gateway: Gateway) -> None:
    gateway.upstream.handler = sends(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
    async with gateway.http() as http:
        for _ in range(5):
            assert (await http.get("/")).text == "hello"


async def test_a_body_after_a_head_request_reaches_nobody(gateway: Gateway) -> None:
    gateway.upstream.handler = sends(b"HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n" + OK[:40])
    async with gateway.http() as http:
        for _ in range(3):
            assert (await http.head("/")).status_code == 200
        gateway.upstream.handler = sends(OK)
        assert (await http.get("/")).text == "hello"
