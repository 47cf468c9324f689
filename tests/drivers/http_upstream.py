"""What lies behind the gateway: an HTTP/1.1 server on a Unix socket that does what a test says, to the byte."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"


@dataclass
class Visit:
    """One request, and the connection it came on."""

    line: str
    headers: list[tuple[str, str]]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    connection: int

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key == name]
        assert len(found) < 2, found
        return found[0] if found else None

    async def body(self) -> bytes:
        """All of it; chunks are joined."""
        if self.header("transfer-encoding") == "chunked":
            parts = []
            while size := int((await self.reader.readuntil(b"\r\n")).strip(), 16):
                parts.append(await self.reader.readexactly(size))
                assert await self.reader.readexactly(2) == b"\r\n"
            assert await self.reader.readexactly(2) == b"\r\n"
            return b"".join(parts)
        return await self.reader.readexactly(int(self.header("content-length") or 0))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def gone(self) -> None:
        """Return when the gateway has closed the connection."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass


Handler = Callable[[Visit], Awaitable[None]]


async def hello(visit: Visit) -> None:
    await visit.body()
    await visit.send(OK)


@dataclass
class Upstream:
    path: Path
    handler: Handler = hello
    visits: list[Visit] = field(default_factory=list)
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    connections: int = 0
    tasks: set[asyncio.Task[None] | None] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.current_task())
        self.connections += 1
        number = self.connections
        self.open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
                headers = [(name, value) for name, _, value in (entry.partition(": ") for entry in lines)]
                visit = Visit(line, headers, reader, writer, number)
                self.visits.append(visit)
                await self.handler(visit)
        writer.close()
        self.open.discard(writer)

    @property
    def last(self) -> Visit:
        return self.visits[-1]


@contextlib.asynccontextmanager
async def upstream_at(path: Path) -> AsyncIterator[Upstream]:
    upstream = Upstream(path)
    server = await asyncio.start_unix_server(upstream.serve, path)
    yield upstream
    server.close()
    for writer in (still_open := list(upstream.open)):
        writer.transport.abort()
    await server.wait_closed()
    if upstream.tasks:
        _, stuck = await asyncio.wait(filter(None, upstream.tasks), timeout=1)
        for task in stuck:
            task.cancel()
    for writer in still_open:
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def sends(*parts: bytes) -> Handler:
    """Answers every request with these bytes."""

    async def handle(visit: Visit) -> None:
        await visit.body()
        for part in parts:
            await visit.send(part)

    return handle
