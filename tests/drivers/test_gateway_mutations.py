"""Requests with accidents in them: whatever comes of them, nothing breaks, and nothing is left behind."""

import asyncio
import contextlib
import logging
import random

import pytest

from baseplane.drivers.gateway import Answer, Forward, Limits, Request
from tests.drivers.gateways import Gateway, gateway_with
from tests.drivers.http_upstream import OK, Visit

SEEDS = (
    b"GET /x?y HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"POST /h HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
    b"PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
    b"GET http://b.test/abs HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HEAD / HTTP/1.0\r\n\r\n",
)
ACCIDENTS = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"\xff", b"chunked", b"0\r\n\r\n", b"Host: b\r\n",
    b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Connection: close\r\n",
    b"Upgrade: websocket\r\nConnection: upgrade\r\n", b"Expect: 100-continue\r\n", b"X: " + b"y" * 70_000 + b"\r\n",
)  # fmt: skip
ANSWERS = (
    OK,
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
    b"nonsense\r\n\r\n",
    b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nxx",
    b"",
)


def mutated(chance: random.Random) -> bytes:
    """Some requests in a row, with up to three accidents."""
    text = bytearray(b"".join(chance.choices(SEEDS, k=chance.randint(1, 4))))
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        place, kind = chance.randrange(len(text)), chance.random()
        if kind < 0.5:
            text[place:place] = chance.choice(ACCIDENTS)
        elif kind < 0.75:
            del text[place : place + chance.randint(1, 6)]
        else:
            text[place] = chance.randrange(256)
    return bytes(text)


async def speak(gateway: Gateway, chance: random.Random) -> None:
    text = mutated(chance)
    cut = chance.randrange(len(text))
    with contextlib.suppress(ConnectionError):
        reader, writer = await gateway.raw(text[:cut], text[cut:])
        if chance.random() < 0.8:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await reader.read(100_000)
        writer.close()


@pytest.mark.parametrize("seed", range(4))
async def test_accidents_leave_nothing_behind(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(seed)
    forwarded = 0

    async def decide(request: Request) -> Forward | Answer:
        nonlocal forwarded
        if chance.random() < 0.1:
            return Answer(401, b"no")
        forwarded += 1
        gateway.rules.forward = {"request": chance.choice((None, 3)), "response": chance.choice((None, None, 3))}
        return gateway.rules.to_upstream(request)

    async def answer(visit: Visit) -> None:
        await visit.body()
        await visit.send(chance.choice((*ANSWERS[:2] * 5, *ANSWERS)))
        if chance.random() < 0.2:
            visit.writer.close()

    async with gateway_with(Limits(grace=0.2)) as gateway:
        gateway.rules.decide = decide
        gateway.upstream.handler = answer
        for _ in range(10):
            await asyncio.gather(*(speak(gateway, chance) for _ in range(20)))
        await gateway.server.close()
        assert forwarded > 50
        assert gateway.rules.released == forwarded
        assert len(gateway.rules.records) >= len(gateway.rules.requests)
        assert {record.status for record in gateway.rules.records} >= {200, 400, 401}
        assert 500 not in {record.status for record in gateway.rules.records}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
