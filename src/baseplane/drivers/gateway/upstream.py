"""Connections to Unix sockets that take HTTP/1.1: one answer at a time, and kept for the next."""

import asyncio
import logging
import socket
from typing import Protocol, cast

import httptools

from baseplane.drivers.gateway import Limits, heads
from baseplane.drivers.gateway.heads import Line, Malformed, Reply

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who waits for an upstream's answer."""

    method: str

    def reply(self, reply: Reply) -> None:
        """Its head. With ``reply.upgrade`` and 101, everything after it is no longer HTTP. Raises Malformed."""

    def reply_body(self, data: bytes) -> None: ...
    def reply_end(self) -> None: ...

    def flush(self) -> None:
        """No more comes right now."""

    def upstream_lost(self, error: str) -> None:
        """It will not come, or not to its end."""

    def upstream_full(self, full: bool) -> None:
        """Whether what is sent has to wait."""


class Upstream(asyncio.Protocol):
    """One connection. ``listener`` is there while an answer is awaited."""

    transport: asyncio.Transport

    def __init__(self, pool: "Pool", path: str, sock: socket.socket) -> None:
        self._pool = pool
        self.path = path
        self.sock = sock
        self.listener: Listener | None = None
        self.reply: Reply | None = None
        self.reused = False
        self.lost = False
        self.idle_since = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._lines: list[Line] = []
        self._fed = self._size = 0
        self._tunnel = False
        self._dirty = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(self._pool.limits.buffered)

    def begin(self, listener: Listener) -> None:
        """The next request is that of ``listener``."""
        self.listener = listener
        self.reply = None
        self._lines = []
        self._fed = self._size = 0

    def send(self, data: bytes) -> None:
        if not self.transport.is_closing():  # else its end is about to be told
            self.transport.write(data)

    def pause(self, *, paused: bool) -> None:
        """Let its answer wait."""
        if self.transport.is_closing():
            return
        if paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self.listener is None:
            self.abort()  # an answer that nobody asked for
        elif self._tunnel:
            self.listener.reply_body(data)
        else:
            self._feed(data)
        if self.listener is not None:
            self.listener.flush()

    def _feed(self, data: bytes) -> None:
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            if self.listener is not None and self._tunnel and rest:
                self.listener.reply_body(rest)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, Malformed):
                log.exception("an answer could not be passed on")
            self._fail(cause.message if isinstance(cause, Malformed) else "the answer could not be passed on")
        except httptools.HttpParserError as error:
            self._fail(f"the answer is no HTTP/1.1: {error}")
        else:
            if self._fed > self._pool.limits.head:
                self._fail("the head of the answer is too long")

    def _fail(self, error: str) -> None:
        listener, self.listener = self.listener, None
        self.abort()
        if listener is not None:
            listener.upstream_lost(error)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.reply is None:
            self._size += len(name) + len(value) + 4
            if self._size > self._pool.limits.head or len(self._lines) >= self._pool.limits.headers:
                raise Malformed(502, "the head of the answer is too long")
            self._lines.append((name, value))

    def on_headers_complete(self) -> None:
        if self.listener is None:
            self._dirty = True
            return
        self._fed = 0
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            return
        reply = heads.read_reply(status, self._parser.get_http_version(), self._lines)
        self.reply = reply
        if status == 101:
            if not reply.upgrade:
                raise Malformed(502, "the answer changes to no protocol")
            self._tunnel = True
        self.listener.reply(reply)

    def on_body(self, data: bytes) -> None:
        self._fed = 0
        if self.reply is not None and self.listener is not None:
            if self.listener.method == "HEAD":
                self._dirty = True  # a body where none may be
            else:
                self.listener.reply_body(data)

    def on_message_complete(self) -> None:
        if self.reply is None:
            self._lines = []  # of 100 Continue, 103 Early Hints
        elif not self._tunnel:
            self._end()

    def end_of_head(self) -> None:
        """The answer has no body, whatever its head says: it is one to HEAD."""
        reply = self.reply
        if reply is not None and (reply.length or reply.chunked or reply.length is None):
            self._parser = httptools.HttpResponseParser(self)  # the other one waits for the body
        self._end()

    def _end(self) -> None:
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.reply_end()

    def give_back(self) -> None:
        """Keep the connection for another request, if that can be."""
        reply = self.reply
        if reply is None or not reply.keep or self._dirty or self._tunnel or self.lost or self.transport.is_closing():
            self.abort()
        else:
            self.reused = True
            self.pause(paused=False)
            self._pool.put(self)

    def is_alive(self) -> bool:
        """Whether the other side has kept it open, and silent, until this moment."""
        if self.lost or self.transport.is_closing():
            return False
        try:
            self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._pool.forget(self)
        listener, self.listener = self.listener, None
        if listener is None:
            return
        reply = self.reply
        if exc is None and reply is not None and (self._tunnel or (reply.length is None and not reply.chunked)):
            listener.reply_end()  # its end was to be told by this
        else:
            listener.upstream_lost("it closed the connection" if exc is None else f"the connection broke: {exc}")

    def pause_writing(self) -> None:
        if self.listener is not None:
            self.listener.upstream_full(full=True)

    def resume_writing(self) -> None:
        if self.listener is not None:
            self.listener.upstream_full(full=False)

    def close(self) -> None:
        """When what was sent has gone."""
        self.listener = None
        self.transport.close()

    def abort(self) -> None:
        self.listener = None
        self.transport.abort()


class Pool:
    """Idle connections by socket, the last used first."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._idle: dict[str, list[Upstream]] = {}

    def take(self, path: str) -> Upstream | None:
        idle = self._idle.get(path)
        while idle:
            upstream = idle.pop()
            if upstream.is_alive():
                return upstream
            upstream.abort()
        return None

    async def connect(self, path: str) -> Upstream:
        """A fresh connection. Raises OSError, TimeoutError."""
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.setblocking(False)
            async with asyncio.timeout(self.limits.connect):
                while True:
                    try:
                        sock.connect(path)
                        break
                    except BlockingIOError:
                        await asyncio.sleep(
                            0.005
                        )  # its backlog is full; for Unix sockets, nothing tells when it no longer is
                _, upstream = await loop.create_unix_connection(lambda: Upstream(self, path, sock), sock=sock)
        except BaseException:
            sock.close()
            raise
        return upstream

    def put(self, upstream: Upstream) -> None:
        idle = self._idle.setdefault(upstream.path, [])
        if len(idle) >= self.limits.pooled:
            upstream.abort()
            return
        upstream.idle_since = asyncio.get_running_loop().time()
        idle.append(upstream)

    def forget(self, upstream: Upstream) -> None:
        if idle := self._idle.get(upstream.path):
            if upstream in idle:
                idle.remove(upstream)
            if not idle:
                del self._idle[upstream.path]

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long; with infinity, everything."""
        for path, idle in list(self._idle.items()):
            while idle and now - idle[0].idle_since > self.limits.pooled_for:
                idle.pop(0).abort()
            if not idle:
                del self._idle[path]
