"""One client's connection, from its first byte to the end of both sides."""

import asyncio
import logging
import ssl
from collections.abc import Coroutine
from typing import cast

from baseplane.drivers.ingress import Refused, Route, Visitor, startup
from baseplane.drivers.ingress.door import Door
from baseplane.drivers.ingress.password import ASK_CLEARTEXT, ClusterLogin, Prompt
from baseplane.drivers.ingress.peers import peer_of
from baseplane.drivers.ingress.tls import Tls
from baseplane.drivers.ingress.upstream import Upstream, deliver_cancel
from baseplane.drivers.sockets import keep_alive
from baseplane.errors import BaseplaneError

log = logging.getLogger(__name__)

INVALID_PASSWORD = "28P01"


class Session(asyncio.Protocol):
    """The client's side. Greeting, then admission by a task, then bytes go straight to ``upstream``."""

    __slots__ = (
        "_buffer",
        "_closing",
        "_door",
        "_eof",
        "_gss",
        "_pooled",
        "_prompt",
        "_task",
        "_timer",
        "_tls",
        "lost",
        "transport",
        "upstream",
        "visitor",
    )

    transport: asyncio.Transport

    def __init__(self, door: Door, *, pooled: bool) -> None:
        self.upstream: Upstream | None = None
        self.visitor: Visitor | None = None
        self.lost = False
        self._door = door
        self._pooled = pooled
        self._tls: Tls | None = None
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._prompt: Prompt | None = None
        self._gss = False
        self._eof = False
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(self._door.limits.buffered)
        keep_alive(transport.get_extra_info("socket"))
        full = len(self._door.sessions) >= self._door.limits.connections
        self._door.sessions.add(self)
        self._door.empty.clear()
        self._timer = asyncio.get_running_loop().call_later(self._door.limits.handshake, self._give_up)
        if full:
            self.refuse(Refused("sorry, too many clients already", sqlstate="53300"))

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if self._tls is not None:
            data = self._decrypt(self._tls, data)
        if data and self.upstream is not None:
            self.upstream.send(data)
        elif data:
            self._buffer += data
            if self._prompt is not None:
                self._prompt.feed(self._buffer)
            self._greet()
        if self._tls is not None and self._tls.ended:
            self.eof_received()

    def eof_received(self) -> bool:
        """The client sends no more, but may still read: Postgres decides when it is over."""
        if self.upstream is None:
            if self._task is None:
                self.finish()
            elif self._prompt is not None:
                self._prompt.give_up()
        elif not self._eof:
            self._eof = True
            self.upstream.send_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.lost = self._closing = True
        self._stop_timer()
        if self._task is not None:
            self._task.cancel()
        if self.upstream is not None:
            self.upstream.finish()
        self.leave()

    def pause_writing(self) -> None:
        if self.upstream is not None:
            self.upstream.pause_reading()

    def resume_writing(self) -> None:
        if self.upstream is not None:
            self.upstream.resume_reading()

    def send(self, data: bytes) -> None:
        if not self._closing:
            self.transport.write(data if self._tls is None else self._tls.seal(data))

    def refuse(self, error: Refused) -> None:
        self.visitor = None
        log.info("refused %s: %s %s", self.transport.get_extra_info("peername"), error.sqlstate, error.message)
        if self._tls is None or self._tls.established:
            self.send(startup.error_response(error))
        self.finish()

    def expel(self, error: Refused) -> None:
        """End a session that is under way: what runs is cancelled, what is not committed is not."""
        if self._closing:
            return
        if self.upstream is not None and self.upstream.key is not None:
            request = startup.cancel_request(self.upstream.key)
            self._door.run(deliver_cancel(request, self.upstream.route, self._door.limits.connect))
        self.refuse(error)

    def login_failed(self, sqlstate: str) -> None:
        if self.visitor is not None:
            self._door.run(self._door.gate.note_failure(self.visitor, sqlstate))

    def finish(self) -> None:
        """Close when the client has read the rest, or without it when it takes too long."""
        if self._closing:
            return
        self._closing = True
        self._stop_timer()
        if self._tls is not None and self._tls.established:
            self.transport.write(self._tls.goodbye())
        self.transport.close()
        self._timer = asyncio.get_running_loop().call_later(self._door.limits.linger, self.transport.abort)

    def abort(self) -> None:
        self._closing = True
        self.transport.abort()
        if self.upstream is not None:
            self.upstream.abort()

    def leave(self) -> None:
        """Be forgotten, once both sides and the task are gone."""
        if self.lost and self._task is None and (self.upstream is None or self.upstream.lost):
            self._door.sessions.discard(self)
            if not self._door.sessions:
                self._door.empty.set()

    def _decrypt(self, tls: Tls, data: bytes) -> bytes:
        try:
            data = tls.receive(data)
        except ssl.SSLError as error:
            log.info("TLS with %s failed: %s", self.transport.get_extra_info("peername"), error.reason or error)
            self.transport.write(tls.outgoing())
            self.finish()
            return b""
        if answer := tls.outgoing():
            self.transport.write(answer)
        return data

    def _greet(self) -> None:
        while self._buffer and self._task is None and not self._closing:
            if self._buffer[0] == startup.TLS_HANDSHAKE and self._tls is None and not self._gss:
                hello = bytes(self._buffer)
                self._buffer.clear()
                self._tls = Tls(self._door.tls, direct=True)
                return self.data_received(hello)
            try:
                packet = startup.take_packet(self._buffer, self._door.limits.startup_bytes)
                if packet is None:
                    return None
                self._answer(packet)
            except Refused as error:
                self.refuse(error)
        return None

    def _answer(self, packet: bytes) -> None:
        match startup.request_code(packet):
            case startup.SSL_REQUEST if self._tls is None:
                self._refuse_stuffing()
                self.transport.write(b"S")
                self._tls = Tls(self._door.tls, direct=False)
            case startup.GSSENC_REQUEST if self._tls is None and not self._gss:
                self._refuse_stuffing()
                self._gss = True
                self.transport.write(b"N")
            case startup.CANCEL_REQUEST:
                self._begin(self._cancel(packet))
            case _:
                server_name = self._tls.server_name if self._tls else None
                self._begin(self._admit(startup.admit(packet, server_name, self._door.host)))

    def _refuse_stuffing(self) -> None:
        # A man in the middle could send these bytes ahead of the client's encrypted ones (as in CVE-2021-23214).
        if self._buffer:
            raise Refused("received unencrypted data after encryption request", sqlstate=startup.PROTOCOL_VIOLATION)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        self._stop_timer()
        self.transport.pause_reading()
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()):
            log.error("a session failed", exc_info=error)
            self.refuse(Refused("internal error of the ingress", sqlstate="XX000"))
        self.leave()

    async def _admit(self, admission: startup.Admission) -> None:
        ref, visitor = admission.ref, self._introduce(admission)
        try:
            async with asyncio.timeout(self._door.limits.connect):
                self.visitor = visitor  # first: rules that change meanwhile lead to a review, which has to find it
                if admission.by_token:
                    await self._admit_by_token(visitor, admission.packet)
                    return
                route = await self._door.gate.admit(visitor)
                await self._connect(route, admission.packet)
        except Refused as error:
            self.refuse(error)
        except TimeoutError:
            self.refuse(Refused(f"project {ref} did not answer in time", sqlstate="57P03"))
        except OSError:
            self.refuse(Refused(f"project {ref} is not reachable", sqlstate="57P03"))
        except BaseplaneError as error:
            self.refuse(Refused(error.message, sqlstate="57P03"))

    async def _admit_by_token(self, visitor: Visitor, packet: bytes) -> None:
        if not visitor.encrypted:
            hint = "Connect with sslmode=require or stricter."
            raise Refused("access tokens are taken over TLS alone", sqlstate="28000", hint=hint)
        try:
            entry = await self._door.gate.admit_by_token(visitor, await self._ask_password())
        except Refused as error:
            if error.sqlstate == INVALID_PASSWORD:
                self._door.run(self._door.gate.note_failure(visitor, error.sqlstate))
            raise
        self.visitor = entry.visitor
        await self._connect(entry.route, startup.with_user(packet, entry.user), ClusterLogin(entry.password))

    async def _ask_password(self) -> str:
        self._prompt = Prompt()
        self.send(ASK_CLEARTEXT)
        self.transport.resume_reading()
        try:
            async with asyncio.timeout(self._door.limits.handshake):
                return await self._prompt.answer
        except TimeoutError as error:
            raise Refused("no password was sent in time", sqlstate=startup.PROTOCOL_VIOLATION) from error
        finally:
            self._prompt = None
            if not self._closing:
                self.transport.pause_reading()

    def _introduce(self, admission: startup.Admission) -> Visitor:
        peer = peer_of(self.transport)
        encrypted = peer.is_local or self._tls is not None
        return Visitor(admission.ref, admission.user, peer.address, encrypted, self._pooled, replica=admission.replica)

    async def _connect(self, route: Route, packet: bytes, login: ClusterLogin | None = None) -> None:
        upstream = Upstream(self, route, self._door.cancels, self._door.limits, login)
        await asyncio.get_running_loop().create_unix_connection(lambda: upstream, route.socket)
        self.upstream = upstream
        if self._closing:
            upstream.abort()
            return
        # Before the first write, which may already ask for a pause.
        self.transport.resume_reading()
        upstream.send(packet + bytes(self._buffer))
        self._buffer.clear()

    async def _cancel(self, packet: bytes) -> None:
        route = self._door.cancels.get(packet[8:])
        if route is not None:
            await deliver_cancel(packet, route, self._door.limits.connect)
        self.finish()

    def _give_up(self) -> None:
        log.info("dropped %s: no startup packet in time", self.transport.get_extra_info("peername"))
        self.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
