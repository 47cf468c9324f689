"""A listening gateway in front of one upstream, and clients that speak to it byte by byte."""

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from baseplane.drivers.gateway import Answer, Forward, Limits, Record, Request
from baseplane.drivers.gateway.server import HttpGateway
from tests.drivers.http_upstream import Upstream, upstream_at

GET = b"GET /x?y=1 HTTP/1.1\r\nHost: a.test\r\n\r\n"
Decide = Callable[[Request], Awaitable[Forward | Answer]]


@dataclass
class Rules:
    """A router that leads everything to one socket, with what a test adds to that."""

    socket: str
    forward: dict[str, Any] = field(default_factory=dict)
    decide: Decide | None = None
    records: list[Record] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    released: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def route(self, request: Request) -> Forward | Answer:
        self.requests.append(request)
        if self.decide is not None:
            return await self.decide(request)
        return self.to_upstream(request)

    def to_upstream(self, request: Request) -> Forward:
        return Forward(self.socket, request.target, **{"release": self._release, **self.forward})

    def _release(self) -> None:
        self.released += 1

    def record(self, record: Record) -> None:
        self.records.append(record)
        self._changed.set()

    async def recorded(self, count: int = 1) -> list[Record]:
        """All records once there are so many."""
        async with asyncio.timeout(10):
            while len(self.records) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.records


@dataclass
class Gateway:
    server: HttpGateway
    port: int
    rules: Rules
    upstream: Upstream

    async def raw(self, *parts: bytes, pause: float = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        return reader, writer

    async def say(self, *parts: bytes) -> bytes:
        """Everything that comes back until the gateway closes."""
        reader, writer = await self.raw(*parts)
        try:
            async with asyncio.timeout(10):
                return await reader.read()
        finally:
            writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def http(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False, **options)

    def buffered(self) -> int:
        """Bytes that wait in this process for clients."""
        return sum(client.transport.get_write_buffer_size() for client in self.server._door.clients)  # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def gateway_with(limits: Limits | None = None, **options: Any) -> AsyncIterator[Gateway]:
    with tempfile.TemporaryDirectory(prefix="bpgw-") as directory:
        async with upstream_at(Path(directory) / f"{secrets.token_hex(3)}.sock") as upstream:
            rules = Rules(str(upstream.path))
            server = HttpGateway(rules, limits)
            yield Gateway(server, await server.listen("127.0.0.1", 0, **options), rules, upstream)
            await server.close()
            assert server.connections == 0
            assert [task for task in asyncio.all_tasks() if "Exchange." in repr(task.get_coro())] == []


async def answer_on(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """The next answer on a connection that stays open; its body has a length or none."""
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (entry.partition(": ") for entry in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(line.split()[1]), headers, body
