"""The HTTP door: one server for all projects of an installation."""

import asyncio
import contextlib
from pathlib import Path

from baseplane.drivers.gateway import Limits, Router
from baseplane.drivers.gateway.client import Client
from baseplane.drivers.gateway.door import Door
from baseplane.drivers.gateway.heads import Hop
from baseplane.drivers.gateway.upstream import Pool


class HttpGateway:
    """Reads requests strictly, asks ``router`` where each goes, and passes them on as streams."""

    def __init__(self, router: Router, limits: Limits | None = None) -> None:
        self._door = Door(router, limits or Limits(), Pool(limits or Limits()))
        self._servers: list[asyncio.Server] = []
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        return len(self._door.clients)

    async def listen(self, host: str, port: int, *, proxies: int = 0) -> int:
        """Serve on a port, 0 for any free one, and return it. Raises OSError.

        ``proxies`` is how many in front are believed, each of which appends its client to X-Forwarded-For.
        """
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Client(self._door, Hop(proxies)), host, port, backlog=2048)
        self._opened(server)
        return int(server.sockets[0].getsockname()[1])

    async def listen_on(self, path: Path, *, proxies: int = 0) -> None:
        """Serve on a Unix socket: whoever may enter its directory may speak. Raises OSError."""
        path.unlink(missing_ok=True)  # of a gateway that was killed
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: Client(self._door, Hop(proxies)), str(path), backlog=2048)
        path.chmod(0o666)
        self._opened(server)

    def _opened(self, server: asyncio.Server) -> None:
        self._servers.append(server)
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._door.sweep())

    async def close(self) -> None:
        """Stop listening, give what runs some seconds to end, and return when nothing is left."""
        self._door.is_closing = True
        for server in self._servers:
            server.close()
        for client in list(self._door.clients):
            client.leave()
        if self._door.clients:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._door.empty.wait(), self._door.limits.grace)
        for client in list(self._door.clients):
            client.abort()
        if self._door.clients:
            await self._door.empty.wait()
        self._door.pool.sweep(float("inf"))
        if self._sweeper is not None:
            self._sweeper.cancel()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
