"""One request and its answer, between the client's connection and the upstream's."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from baseplane.drivers.gateway import Answer, Forward, Record, Request, codes, heads
from baseplane.drivers.gateway.door import ClientSide
from baseplane.drivers.gateway.download import Download
from baseplane.drivers.gateway.framing import BODILESS, check, framing, named_headers, own_head, told
from baseplane.drivers.gateway.heads import Head, Reply
from baseplane.drivers.gateway.upload import Upload
from baseplane.drivers.gateway.upstream import Upstream

log = logging.getLogger(__name__)

Told = TypeVar("Told")

_SAFE_TO_REPEAT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""RFC 9110, section 9.2.2."""
TICK = 0.002
"""Seconds by which a loop's clock, in milliseconds, may be early: whoever measures too must see the time over."""


class Exchange:
    """``started``: the head of the answer is out. ``ended``: all is over."""

    def __init__(self, client: ClientSide, request: Request, head: Head | None, refusal: Answer | None = None) -> None:
        """``refusal``: the request is not even looked at."""
        self._client = client
        self._door = client.door
        self._loop = asyncio.get_running_loop()
        self.head = head
        self.method = request.method
        self.record = Record(request)
        self.began = self._handed_on = time.monotonic()
        self.upload = Upload(is_chunked=head is not None and head.length is None)
        self.download = Download(client.send)
        self.started = self.ended = False
        self._refusal = refusal
        self._forward: Forward | None = None
        self._upstream: Upstream | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._upstream_is_full = False
        self._keep = head is not None and head.keep

    @property
    def is_full(self) -> bool:
        """Whether no more of the body should be read."""
        return self._upstream_is_full or self.upload.kept > self._door.limits.buffered

    @property
    def is_tunnel(self) -> bool:
        return self.record.status == 101

    @property
    def _may_go_on(self) -> bool:
        """Whether the rest of the request has come, or is so short that it is read and thrown away."""
        head, most = self.head, self._door.limits.buffered
        is_short = head is not None and head.length is not None and head.length <= most and not head.expects
        return self.upload.is_whole or is_short

    def start(self) -> None:
        if self._refusal is not None:
            self._reply(self._refusal)
        else:
            self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            verdict = await self._door.router.route(self.record.request)
        except Exception:
            log.exception("the router failed")
            verdict = told(500, "The gateway failed; its log says why.")
        self.record.routed = time.monotonic() - self.began
        if self.ended:
            if isinstance(verdict, Forward):
                verdict.release()
        elif isinstance(verdict, Answer):
            self._reply(verdict)
        else:
            self._forward = verdict
            self.record.about = verdict.about
            await self._send_on(verdict)

    async def _send_on(self, forward: Forward, *, again: bool = False) -> None:
        head = self.head
        assert head is not None
        self.upload.limit = forward.request
        if self.upload.is_too_large(head.length or self.upload.received):
            return self._reply(told(413, f"The body is larger than {forward.request} bytes."))
        try:
            text = heads.for_upstream(head, forward.target, forward.headers)
        except ValueError:
            log.exception("a request could not be passed on")
            return self._reply(told(500, "The gateway failed; its log says why."))
        pool = self._door.pool
        upstream = None if again or head.upgrade else pool.take(forward.socket)
        try:
            upstream = upstream or await pool.connect(forward.socket)
        except (OSError, TimeoutError) as error:
            return self.upstream_lost(f"{forward.socket} cannot be reached: {error or 'it takes too long'}")
        if self.ended:
            return upstream.abort()
        self._begin(upstream, text)
        return None

    def _begin(self, upstream: Upstream, text: bytes) -> None:
        self._upstream = upstream
        upstream.begin(self)
        if self.head is not None and self.head.expects and not self.upload.is_whole and not self.upload.received:
            self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._timer is None:
            self._handed_on = time.monotonic()
            self._arm()
        upstream.send(text + self.upload.opened())
        self._client.update_reading()

    # From the client.

    def body(self, data: bytes) -> None:
        if self.ended:
            return
        if self.upload.is_too_large(self.upload.received + len(data)):
            self._fail(told(413, f"The body is larger than {self.upload.limit} bytes."), "the request is too large")
        elif self._upstream is None:
            self.upload.keep(data)
        else:
            self._upstream.send(self.upload.frame(data))

    def body_end(self) -> None:
        self.upload.is_whole = True
        if self._upstream is not None and not self.ended and (end := self.upload.end()):
            self._upstream.send(end)

    def send_raw(self, data: bytes) -> None:
        """After a change of the protocol."""
        if self._upstream is not None:
            self._upstream.send(self.upload.frame(data))

    def spoil(self, answer: Answer) -> None:
        """The rest of the request cannot be read."""
        self._fail(answer, answer.about["reason"])

    def abandon(self, error: str) -> None:
        """The client is gone."""
        self.download.drop()
        self._finish(None if self.is_tunnel else error, keep=False)

    def client_full(self, *, full: bool) -> None:
        if self._upstream is not None:
            self._upstream.pause(paused=full)

    # From the upstream.

    def reply(self, reply: Reply) -> None:
        forward, head = self._forward, self.head
        assert forward is not None
        assert head is not None
        check(reply, head, forward)
        if reply.status != 101 and not 200 <= reply.status < 600:
            error = f"the answer has the status {reply.status}, which is none of HTTP"
            return self._fail(told(502, f"What answers here failed: {error}.", codes.INVALID_STATUS), error)
        ends = framing(reply, head, keep=self._keep and not self._door.is_closing)
        named = named_headers(reply, forward, self.record.request.id)
        text = heads.for_client(reply.status, reply.lines, named, *ends.lines)
        self.download.begin(text, ends)
        self._keep = ends.keep
        self.started = True
        self.record.status = reply.status
        self.record.first_byte = time.monotonic() - self.began
        self._arm()
        if self._client.is_full:
            self.client_full(full=True)
        if reply.status == 101:
            self.download.flush()
            self._client.enter_tunnel(self)
        elif head.request.method == "HEAD" and self._upstream is not None:
            self._upstream.end_of_head()
        return None

    def reply_body(self, data: bytes) -> None:
        limit = self._forward.response if self._forward is not None else None
        if limit is not None and self.download.sent + len(data) > limit:
            self._finish(f"the answer is larger than {limit} bytes", keep=False, cut=True)
        else:
            self.download.add(data)

    def reply_end(self) -> None:
        self.download.end()
        self._finish(None, keep=self._keep)

    def flush(self) -> None:
        self.download.flush()

    def upstream_lost(self, error: str) -> None:
        upstream, self._upstream = self._upstream, None
        if self.ended:
            return
        if upstream is not None and upstream.reused and self._may_repeat(upstream):
            assert self._forward is not None
            self._task = self._loop.create_task(self._send_on(self._forward, again=True))
        else:
            self._broken(502, error)

    def _may_repeat(self, upstream: Upstream) -> bool:
        """An idle connection may have been closed just now: that is nobody's error."""
        return upstream.reply is None and not self.upload.is_touched and self.method in _SAFE_TO_REPEAT

    def upstream_full(self, full: bool) -> None:
        self._upstream_is_full = full
        self._client.update_reading()

    # Ends.

    def _arm(self) -> None:
        """Set the clock to the next limit: to the first byte, or to the end."""
        forward = self._forward
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if forward is not None:
            limits = [forward.wall] if self.started else [forward.first_byte, forward.wall]
            if limits := [limit for limit in limits if limit is not None]:
                self._timer = self._loop.call_at(self._handed_on + min(limits) + TICK, self._late)

    def _late(self) -> None:
        self._timer = None
        self._broken(504, "it takes too long")

    def _broken(self, status: int, error: str) -> None:
        answer = None
        if not self.started:
            answer = _quietly(self._forward.broken) if self._forward is not None else None
            answer = answer or told(status, f"What answers here {'did not in time' if status == 504 else 'failed'}.")
        self._fail(answer, error)

    def _fail(self, answer: Answer | None, error: str) -> None:
        """Answer, or cut off what has begun."""
        if self.ended:
            return
        if self.started or answer is None:
            self._finish(error, keep=False, cut=True)
        else:
            self._reply(answer, error)

    def _reply(self, answer: Answer, error: str | None = None) -> None:
        is_last = not self._keep or not self._may_go_on or self._door.is_closing
        body = b"" if self.method == "HEAD" or answer.status in BODILESS else answer.body
        try:
            text = own_head(answer, self.record.request.id, is_last=is_last)
        except ValueError:
            log.exception("an answer could not be given")
            return self._finish("an answer could not be given", keep=False, cut=True)
        self.started = True
        self.record.status = answer.status
        self.record.first_byte = time.monotonic() - self.began
        self.download.sent = len(body)
        self.record.about = {**self.record.about, **answer.about}
        self._client.send(text + body)
        self._finish(error, keep=not is_last)
        return None

    def _finish(self, error: str | None, *, keep: bool, cut: bool = False) -> None:
        """All is over, whatever it was; a second time it is nothing."""
        if self.ended:
            return
        self.ended = True
        self.download.flush()
        self.record.received, self.record.sent = self.upload.received, self.download.sent
        self.record.taken = time.monotonic() - self.began
        self.record.error = error
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and self._task is not asyncio.current_task(self._loop):
            self._task.cancel()
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            if self.is_tunnel:
                upstream.close()
            elif error is None and self.upload.is_whole:
                upstream.give_back()
            else:
                upstream.abort()
        if self._forward is not None:
            _quietly(self._forward.release)
        _quietly(lambda: self._door.router.record(self.record))
        self._client.exchange_over(self, keep=keep and self._may_go_on, cut=cut)


def _quietly(call: Callable[[], Told]) -> Told | None:
    """Others' code may not keep a request from ending."""
    try:
        return call()
    except Exception:
        log.exception("the end of a request could not be told")
        return None
