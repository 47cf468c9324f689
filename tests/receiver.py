"""An HTTP server as the owner of a webhook has it: keeps what it is sent and answers as it is told."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = Callable[["Received"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    port: int = 0
    requests: list[Received] = field(default_factory=list)
    answers: dict[str, list[int | Answer]] = field(default_factory=dict)
    """By path: what the next requests get; 200 when there is nothing left."""
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        return [request for request in self.requests if request.path == path]

    async def expect(self, path: str, count: int, within: float = 15) -> list[Received]:
        """What has come to ``path`` once it is ``count`` requests."""
        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: len(self.at(path)) >= count)
        return self.at(path)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        received = Received(
            request.method, request.path, request.rel_url.raw_query_string, dict(request.headers), await request.read()
        )
        async with self._arrived:
            self.requests.append(received)
            self._arrived.notify_all()
        waiting = self.answers.get(request.path)
        answer = waiting.pop(0) if waiting else 200
        if isinstance(answer, int):
            return web.Response(status=answer, text=f"said {answer}", headers={"X-Two": "a"})
        return await answer(received)


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()
