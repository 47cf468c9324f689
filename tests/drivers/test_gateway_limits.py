"""What ends a request before its time, and that nothing is left of it then."""

import asyncio
import contextlib
from typing import Any

import httpx
import pytest

from baseplane.drivers.gateway import Answer, Limits, Request
from tests.drivers.gateways import GET, answer_on, gateway_with
from tests.drivers.http_upstream import OK, Visit, sends


async def never(visit: Visit) -> None:
    await visit.gone()


def endless(kind: bytes) -> Any:
    async def handle(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 200 OK\r\n" + kind + b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                await visit.send(b"5\r\nhello\r\n" if b"chunked" in kind else b"hello")
                await asyncio.sleep(0.01)

    return handle


async def test_a_body_larger_than_allowed_is_refused_before_it_is_sent() -> None:
    async with gateway_with() as gateway:
        gateway.rules.forward = {"request": 99_999}
        said = await gateway.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 413 ")
        assert b"larger than 99999 bytes" in said
        assert gateway.upstream.visits == []
        assert gateway.rules.released == 1


async def test_a_body_that_turns_out_larger_than_allowed_is_cut() -> None:
    async with gateway_with() as gateway:
        gateway.rules.forward = {"request": 10}
        gateway.upstream.handler = never
        reader, writer = await gateway.raw(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n"
        )
        async with asyncio.timeout(5):
            while not gateway.upstream.visits:
                await asyncio.sleep(0.01)
            writer.write(b"8\r\n12345678\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
        record = (await gateway.rules.recorded())[0]
        assert (record.status, record.error) == (413, "the request is too large")
        writer.close()


async def test_an_answer_larger_than_allowed_is_cut_off() -> None:
    async with gateway_with() as gateway, gateway.http() as http:
        gateway.rules.forward = {"response": 1000}
        gateway.upstream.handler = endless(b"transfer-encoding: chunked")
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/")
        record = (await gateway.rules.recorded())[0]
        assert (record.status, record.error) == (200, "the answer is larger than 1000 bytes")
        assert gateway.rules.released == 1
        gateway.upstream.handler = sends(b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n")
        assert (await http.get("/")).status_code == 502


async def test_an_upstream_that_does_not_begin_in_time_is_given_up() -> None:
    async with gateway_with() as gateway, gateway.http() as http:
        gateway.rules.forward = {"first_byte": 0.1, "wall": 5.0}
        gateway.upstream.handler = never
        answer = await http.get("/")
        assert answer.status_code == 504
        assert gateway.rules.released == 1
        gateway.rules.forward["broken"] = lambda: Answer(546, b"worker limit")
        answer = await http.get("/")
        assert (answer.status_code, answer.text) == (546, "worker limit")
        records = await gateway.rules.recorded(2)
        assert [record.error for record in records] == ["it takes too long"] * 2


async def test_whoever_is_asked_why_it_was_late_sees_the_time_over() -> None:
    loop = asyncio.get_running_loop()
    elapsed = []

    async def decide(request: Request) -> Any:
        await asyncio.sleep(0.03)  # a cold start is no part of the time
        began = loop.time()
        gateway.rules.forward = {"first_byte": 0.05, "broken": lambda: elapsed.append(loop.time() - began)}
        return gateway.rules.to_upstream(request)

    async with gateway_with() as gateway, gateway.http() as http:
        gateway.rules.decide = decide
        gateway.upstream.handler = never
        assert (await http.get("/")).status_code == 504
    assert elapsed[0] >= 0.05


@pytest.mark.parametrize("kind", [b"transfer-encoding: chunked", b"content-length: 100000", b"x: y"])
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_an_answer_that_takes_too_long_is_cut_off_and_the_client_sees_it(kind: bytes, version: bytes) -> None:
    async with gateway_with() as gateway:
        gateway.rules.forward = {"first_byte": 5.0, "wall": 0.15}
        gateway.upstream.handler = endless(kind)
        reader, writer = await gateway.raw(b"GET / HTTP/" + version + b"\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(5):
            if version == b"1.0" and b"content-length" not in kind:
                with pytest.raises(ConnectionResetError):  # nothing else tells
                    await reader.read()
            else:
                assert not (await reader.read()).endswith(b"0\r\n\r\n")
        record = (await gateway.rules.recorded())[0]
        assert (record.status, record.error) == (200, "it takes too long")
        assert gateway.rules.released == 1
        writer.close()


DEATHS = {
    "before its answer": b"",
    "in the head": b"HTTP/1.1 200 OK\r\ncontent-le",
}


@pytest.mark.parametrize("how", DEATHS)
async def test_an_upstream_that_ends_before_its_first_byte_is_told_about(how: str) -> None:
    async def die(visit: Visit) -> None:
        await visit.send(DEATHS[how])
        visit.writer.close()

    async with gateway_with() as gateway, gateway.http() as http:
        gateway.upstream.handler = die
        answer = await http.get("/")
        assert answer.status_code == 502
        assert answer.headers["access-control-allow-origin"] == "*"
        gateway.rules.forward = {"broken": lambda: Answer(546, b"out of memory")}
        answer = await http.post("/", content=b"x")
        assert (answer.status_code, answer.text) == (546, "out of memory")
        assert gateway.rules.released == 2
        assert "closed the connection" in str((await gateway.rules.recorded(2))[0].error)


async def test_a_broken_that_breaks_is_no_reason_to_wait() -> None:
    async with gateway_with() as gateway, gateway.http() as http:
        gateway.rules.forward = {"broken": lambda: 1 // 0, "release": lambda: 1 // 0, "first_byte": 0.05}
        gateway.upstream.handler = never
        assert (await http.get("/")).status_code == 504


@pytest.mark.parametrize("kind", [b"transfer-encoding: chunked", b"content-length: 100"])
async def test_an_upstream_that_ends_in_the_middle_leaves_the_client_with_a_visible_end(kind: bytes) -> None:
    async def die(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 200 OK\r\n" + kind + b"\r\n\r\n" + b"5\r\nhello\r\n")
        visit.writer.close()

    async with gateway_with() as gateway, gateway.http() as http:
        gateway.upstream.handler = die
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/")
        assert (await gateway.rules.recorded())[0].error == "it closed the connection"
        assert gateway.rules.released == 1


async def test_a_socket_that_nobody_serves_is_told_about() -> None:
    async with gateway_with() as gateway, gateway.http() as http:
        gateway.rules.socket = "/nowhere/at-all.sock"
        assert (await http.get("/")).status_code == 502
        assert gateway.rules.released == 1
        assert "cannot be reached" in str(gateway.rules.records[0].error)


@pytest.mark.parametrize("when", ["before the answer", "in the answer", "in the request"])
async def test_when_the_client_goes_the_upstream_learns_it_at_once(when: str) -> None:
    gone = asyncio.Event()

    async def work(visit: Visit) -> None:
        if when == "in the answer":
            await visit.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
        await visit.gone()
        gone.set()

    async with gateway_with() as gateway:
        gateway.upstream.handler = work
        request = GET if when != "in the request" else b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"
        _, writer = await gateway.raw(request)
        async with asyncio.timeout(5):
            while not gateway.upstream.visits:
                await asyncio.sleep(0.01)
            writer.close()
            await gone.wait()
        record = (await gateway.rules.recorded())[0]
        assert record.error == "the client is gone"
        assert gateway.rules.released == 1


async def test_when_the_client_goes_the_router_stops() -> None:
    stopped = asyncio.Event()

    async def decide(_: Request) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with gateway_with() as gateway:
        gateway.rules.decide = decide
        _, writer = await gateway.raw(GET)
        async with asyncio.timeout(5):
            while not gateway.rules.requests:
                await asyncio.sleep(0.01)
            writer.close()
            await stopped.wait()
        assert (await gateway.rules.recorded())[0].error == "the client is gone"


async def test_a_router_that_fails_is_a_500() -> None:
    async def decide(_: Request) -> Any:
        raise RuntimeError("a bug")

    async with gateway_with() as gateway, gateway.http() as http:
        gateway.rules.decide = decide
        assert (await http.get("/")).status_code == 500


async def test_too_many_connections_are_told_so() -> None:
    async with gateway_with(Limits(connections=2)) as gateway:
        keep = [await gateway.raw(GET) for _ in range(2)]
        for reader, _ in keep:
            await answer_on(reader)
        assert (await gateway.say()).startswith(b"HTTP/1.1 503 ")
        keep[0][1].close()
        async with asyncio.timeout(5):
            while gateway.server.connections >= 2:
                await asyncio.sleep(0.01)
        reader, writer = await gateway.raw(GET)
        assert (await answer_on(reader))[0] == 200
        for _, open_writer in (*keep, (reader, writer)):
            open_writer.close()


async def test_too_many_requests_sent_ahead_are_told_so() -> None:
    async with gateway_with(Limits(ahead=3)) as gateway:
        said = await gateway.say(GET * 50)
        assert said.count(b"HTTP/1.1 200 ") == 4
        assert said.count(b"HTTP/1.1 429 ") == 1
        assert len(await gateway.rules.recorded(5)) == 5


async def test_after_a_refusal_nothing_that_was_sent_along_is_done() -> None:
    async with gateway_with() as gateway:
        gateway.rules.forward = {"request": 3}
        chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        reader, writer = await gateway.raw(chunked)
        async with asyncio.timeout(5):
            while not gateway.upstream.visits:
                await asyncio.sleep(0.01)
            writer.write(b"5\r\nabcde\r\n0\r\n\r\n" + GET + b"broken\r\n\r\n")
            said = await reader.read()
        assert said.count(b"HTTP/1.1 ") == 1
        assert said.startswith(b"HTTP/1.1 413 ")
        assert len(gateway.rules.requests) == 1
        writer.close()


SLOW: dict[str, tuple[bytes, bytes]] = {
    "nothing at all": (b"", b""),
    "a head that stops": (b"GET / HTTP/1.1\r\nHost: a\r\n", b"HTTP/1.1 408 "),
    "a body that stops": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", b"HTTP/1.1 408 "),
}


@pytest.mark.parametrize("case", SLOW)
async def test_a_client_that_says(case: str) -> None:
    limits = Limits(idle=0.1, head_within=0.1, silence=0.1)
    async with gateway_with(limits) as gateway:
        gateway.upstream.handler = never
        sent, answer = SLOW[case]
        assert (await gateway.say(sent)).startswith(answer)


async def test_a_client_that_does_not_read_is_left() -> None:
    async with gateway_with(Limits(silence=0.2)) as gateway:
        gateway.upstream.handler = sends(b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n", b"x" * 50_000_000)
        _, writer = await gateway.raw(GET)
        record = (await gateway.rules.recorded())[0]
        assert record.error == "the client does not read its answer"
        writer.close()


async def test_a_refused_client_can_read_why_though_it_still_sends() -> None:
    async with gateway_with() as gateway:
        gateway.rules.forward = {"request": 10}
        reader, writer = await gateway.raw(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n")
        writer.write(b"x" * 5_000_000)
        async with asyncio.timeout(10):
            assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
        writer.close()


async def test_closing_lets_a_running_request_end_and_takes_no_other() -> None:
    go_on = asyncio.Event()

    async def wait(visit: Visit) -> None:
        await go_on.wait()
        await visit.send(OK)

    async with gateway_with() as gateway:
        gateway.upstream.handler = wait
        idle, idle_writer = await gateway.raw()
        reader, writer = await gateway.raw(GET)
        async with asyncio.timeout(5):
            while not gateway.upstream.visits:
                await asyncio.sleep(0.01)
            closing = asyncio.create_task(gateway.server.close())
            assert await idle.read() == b""
            with pytest.raises(ConnectionRefusedError):
                await gateway.raw(GET)
            go_on.set()
            said = await reader.read()
            assert said.endswith(b"hello")
            assert b"connection: close" in said
            await closing
        idle_writer.close()
        writer.close()


async def test_closing_does_not_wait_for_ever() -> None:
    async with gateway_with(Limits(grace=0.1)) as gateway:
        gateway.upstream.handler = never
        reader, writer = await gateway.raw(GET)
        async with asyncio.timeout(5):
            while not gateway.upstream.visits:
                await asyncio.sleep(0.01)
            await gateway.server.close()
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        assert gateway.rules.released == 1
        writer.close()


async def test_the_record_says_what_became_of_a_request() -> None:
    async with gateway_with() as gateway, gateway.http() as http:
        gateway.rules.forward = {"about": {"key_id": "k1"}}
        await http.post("/a?b=c", content=b"body")
        record = (await gateway.rules.recorded())[0]
    assert (record.request.method, record.request.path, record.request.query) == ("POST", "/a", "b=c")
    assert (record.status, record.received, record.sent, record.error) == (200, 4, 5, None)
    assert record.about == {"key_id": "k1"}
    assert 0 < record.routed <= record.first_byte <= record.taken < 5


async def test_idle_connections_to_an_upstream_are_few_and_do_not_last() -> None:
    async with gateway_with(Limits(pooled=3, pooled_for=0.1)) as gateway, gateway.http() as http:
        await asyncio.gather(*(http.get("/") for _ in range(20)))
        async with asyncio.timeout(5):
            while len(gateway.upstream.open) > 3:
                await asyncio.sleep(0.01)
            while gateway.upstream.open:
                await asyncio.sleep(0.01)
        assert (await http.get("/")).text == "hello"
