"""The cluster's side of a session."""

import asyncio
from contextlib import suppress
from typing import Protocol, cast

from baseplane.drivers.ingress import Limits, Refused, Route
from baseplane.drivers.ingress.login import LoginReader
from baseplane.drivers.ingress.password import ClusterLogin


class Downstream(Protocol):
    """What the cluster's side needs of the client's."""

    transport: asyncio.Transport
    lost: bool

    def send(self, data: bytes) -> None: ...
    def finish(self) -> None: ...
    def refuse(self, error: Refused) -> None: ...
    def login_failed(self, sqlstate: str) -> None: ...
    def leave(self) -> None: ...


class Upstream(asyncio.Protocol):
    """Passes the cluster's bytes on, and reads along until the login has ended. ``key`` is the backend's.

    With a ``login`` of the door's own, the cluster's questions are answered here.
    """

    __slots__ = ("_cancels", "_client", "_limits", "_login", "_reader", "_timer", "_transport", "key", "lost", "route")

    _transport: asyncio.Transport

    def __init__(
        self,
        client: Downstream,
        route: Route,
        cancels: dict[bytes, Route],
        limits: Limits,
        login: ClusterLogin | None = None,
    ) -> None:
        self.lost = False
        self._client = client
        self.route = route
        self._cancels = cancels
        self._limits = limits
        self._login = login
        self._reader: LoginReader | None = LoginReader()
        self.key: bytes | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(self._limits.buffered)

    def data_received(self, data: bytes) -> None:
        if self._login is not None:
            data = self._log_in(self._login, data)
        if self._reader is not None:
            self._read_along(self._reader, data)
        self._client.send(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.lost = True
        if self._timer is not None:
            self._timer.cancel()
        if self.key is not None and self._cancels.get(self.key) is self.route:
            del self._cancels[self.key]
        self._client.finish()
        self._client.leave()

    def pause_writing(self) -> None:
        if not self._client.transport.is_closing():
            self._client.transport.pause_reading()

    def resume_writing(self) -> None:
        if not self._client.transport.is_closing():
            self._client.transport.resume_reading()

    def send(self, data: bytes) -> None:
        self._transport.write(data)

    def send_eof(self) -> None:
        if not self._transport.is_closing():
            self._transport.write_eof()

    def pause_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def finish(self) -> None:
        """Close when the cluster has read what the client sent last, or without it when it takes too long."""
        if not self.lost and self._timer is None:
            self._transport.close()
            self._timer = asyncio.get_running_loop().call_later(self._limits.linger, self._transport.abort)

    def abort(self) -> None:
        self._transport.abort()

    def _log_in(self, login: ClusterLogin, data: bytes) -> bytes:
        """Answer the cluster; gives what is for the client."""
        try:
            answer, rest = login.feed(data)
        except Refused as error:
            self._client.refuse(error)
            self.abort()
            return b""
        if answer:
            self.send(answer)
        if login.done:
            self._login = None
        return rest

    def _read_along(self, reader: LoginReader, data: bytes) -> None:
        reader.feed(data)
        if reader.key is not None and self.key is None:
            self.key = reader.key
            self._cancels[reader.key] = self.route
        if reader.failure:
            self._client.login_failed(reader.failure)
        if reader.done:
            self._reader = None


async def deliver_cancel(request: bytes, route: Route, within: float) -> None:
    """Send a CancelRequest to where its backend runs, and wait until it was taken. Silent when nobody is there."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_unix_connection(route.socket)
            writer.write(request)
            await reader.read(1)  # Postgres closes when it has sent the signal; clients wait for that
            writer.close()
