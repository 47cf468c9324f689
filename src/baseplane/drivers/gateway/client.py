"""A client's connection: its requests, one after the other, and their answers in the same order."""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from typing import cast

from baseplane.drivers.gateway import Answer, heads
from baseplane.drivers.gateway.door import Door
from baseplane.drivers.gateway.exchange import Exchange
from baseplane.drivers.gateway.framing import told
from baseplane.drivers.gateway.heads import Head, Hop
from baseplane.drivers.gateway.reader import Reader
from baseplane.drivers.sockets import keep_alive

GONE = "the client is gone"


class Client(asyncio.Protocol):
    """``_reading`` is the exchange whose body is being read, ``_current`` the one being answered; ``_queue`` holds what
    was sent ahead of that answer: while something is in it, no more is read. ``_ahead`` is what follows a request to
    change the protocol, until that is decided.
    """

    transport: asyncio.Transport

    def __init__(self, door: Door, hop: Hop) -> None:
        self.door = door
        self._hop = hop
        self._loop = asyncio.get_running_loop()
        self._reading: Exchange | None = None
        self._current: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._tunnel: Exchange | None = None
        self._ahead: bytearray | None = None
        self._reads = True
        self._heard = self._waiting_since = self._loop.time()
        self._full_since: float | None = None
        self._closing_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(self.door.limits.buffered)
        peer = "127.0.0.1"
        if name := transport.get_extra_info("peername"):
            keep_alive(transport.get_extra_info("socket"))
            peer = heads.plain_address(name[0])
        self._reader = Reader(self, self.door.limits, self._hop, peer)
        is_full = len(self.door.clients) >= self.door.limits.connections
        self.door.clients.add(self)
        self.door.empty.clear()
        if is_full:
            self._reader.refuse(told(503, "The gateway has too many connections. Try again."))

    # Reading.

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        if self._tunnel is not None:
            self._tunnel.send_raw(data)
        elif self._ahead is not None:
            self._ahead += data
            if len(self._ahead) > self.door.limits.head:
                self.abort()
        else:
            if not self._reader.is_inside:
                self._waiting_since = self._heard
            self._reader.feed(data)

    def request(self, head: Head) -> None:
        if len(self._queue) >= self.door.limits.ahead:
            self._reader.refuse(told(429, f"More than {self.door.limits.ahead} requests were sent ahead."))
            return
        self._reading = Exchange(self, head.request, head)
        self._enqueue(self._reading)

    def request_body(self, data: bytes) -> None:
        if self._reading is not None:
            self._reading.body(data)
            if self._reading is not None and self._reading.is_full:
                self.update_reading()

    def request_end(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.body_end()

    def request_ahead(self, data: bytes) -> None:
        if self._tunnel is None and self._closing_since is None:
            self._ahead = bytearray(data)

    def request_refused(self, answer: Answer) -> None:
        """Answered when its turn comes."""
        reading, self._reading = self._reading, None
        if reading is not None and reading.ended:
            self._finish(everything_read=False)  # it has its answer
            return
        if reading is not None and reading is self._current:
            reading.spoil(answer)
            return
        if reading is not None:
            self._queue.remove(reading)
        request = reading.record.request if reading is not None else self._reader.as_far_as_read()
        self._enqueue(Exchange(self, request, None, answer))

    def update_reading(self) -> None:
        current = self._current
        wanted = not self._queue and not (current is not None and self._reading is current and current.is_full)
        if self._tunnel is not None:
            wanted = not self._tunnel.is_full
        if wanted != self._reads and not self.transport.is_closing():
            self._reads = wanted
            if wanted:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    # Answering.

    def _enqueue(self, exchange: Exchange) -> None:
        if self._current is None:
            self._current = exchange
            exchange.start()
        else:
            self._queue.append(exchange)
            self.update_reading()

    def send(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def enter_tunnel(self, exchange: Exchange) -> None:
        self._tunnel = exchange
        ahead, self._ahead = self._ahead, None
        if ahead:
            exchange.send_raw(bytes(ahead))

    def exchange_over(self, exchange: Exchange, *, keep: bool, cut: bool) -> None:
        if exchange is not self._current:
            return
        self._current = self._tunnel = None
        if self._reading is exchange and not keep:
            self._reading = None
            self._reader.is_deaf = True
        if self._ahead is not None and exchange.head is not None and exchange.head.upgrade:
            keep = keep and not self._ahead
            self._ahead = None
        if cut and not exchange.download.framing.is_framed:
            self._reset()
        elif cut or not keep or (self.door.is_closing and not self._queue):
            self._finish(everything_read=exchange.upload.is_whole and not self._reader.is_deaf)
        elif self._queue:
            self._current = self._queue.popleft()
            self._current.start()
            self.update_reading()
        else:
            self._waiting_since = self._loop.time()

    def _finish(self, *, everything_read: bool) -> None:
        """Close. Where something may still be coming, the client is first given the time to read why."""
        if self.transport.is_closing() or self._closing_since is not None:
            return
        self._closing_since = self._loop.time()
        self._reader.is_deaf = True
        self._drop_queue("the connection ends")
        if everything_read or not self.transport.can_write_eof():
            self.transport.close()
        else:
            with contextlib.suppress(OSError):  # the client is gone, and we are about to hear of it
                self.transport.write_eof()
            self.update_reading()

    def _reset(self) -> None:
        """Close so that the client sees an error: an orderly end would look like that of the answer."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    @property
    def is_full(self) -> bool:
        """Whether answers have to wait for the client to read."""
        return self._full_since is not None

    def pause_writing(self) -> None:
        self._full_since = self._loop.time()
        if self._current is not None:
            self._current.client_full(full=True)

    def resume_writing(self) -> None:
        self._full_since = None
        if self._current is not None:
            self._current.client_full(full=False)

    # Ends.

    def eof_received(self) -> bool:
        """Who sends no more reads no more: that is how one learns that a client has gone."""
        if self._current is not None and not self._current.is_tunnel:
            self._current.abandon(GONE)
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._reader.is_deaf = True
        if self._current is not None:
            self._current.abandon(GONE)
        self._drop_queue(GONE)
        self.door.clients.discard(self)
        if not self.door.clients:
            self.door.empty.set()

    def _drop_queue(self, error: str) -> None:
        queue, self._queue = self._queue, deque()
        for exchange in queue:
            exchange.abandon(error)

    def check(self, now: float) -> None:
        limits = self.door.limits
        if self._closing_since is not None:
            if now - self._closing_since > limits.linger:
                self.abort()
        elif self._full_since is not None and now - self._full_since > limits.silence:
            if self._current is not None:
                self._current.abandon("the client does not read its answer")
            self.abort()
        elif self._current is None:
            self._check_waiting(now - self._waiting_since)
        elif self._reading is self._current and self._reads and now - self._heard > limits.silence:
            self._reader.refuse(told(408, f"Nothing more of the body came for {limits.silence:g} seconds."))

    def _check_waiting(self, waited: float) -> None:
        limits = self.door.limits
        if not self._reader.is_inside and waited > limits.idle:
            self.transport.close()
        elif self._reader.is_inside and waited > limits.head_within:
            self._reader.refuse(told(408, f"The head did not come within {limits.head_within:g} seconds."))

    def leave(self) -> None:
        if self._current is None:
            self.transport.close()

    def abort(self) -> None:
        self.transport.abort()
