"""Around every request: its id, its log line, the limit of its body, and the last resort when something breaks."""

import logging
import os
import re
import time
from collections.abc import Sequence
from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from baseplane.api.answers import answer
from baseplane.api.meter import Meter
from baseplane.api.route import Upload
from baseplane.errors import TooLarge

log = logging.getLogger("baseplane.requests")

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
_ACCEPTED_ID = re.compile(r"[\w.-]{8,128}")


class Requests:
    """ASGI middleware, outermost."""

    def __init__(self, app: ASGIApp, max_body: int, meter: Meter, uploads: Sequence[Upload] = ()) -> None:
        self.app = app
        self.max_body = max_body
        self.meter = meter
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _ACCEPTED_ID.fullmatch(given) else os.urandom(16).hex()
        own: dict[str, str] = {"X-Request-Id": request_id}
        scope["baseplane.headers"] = own
        token = REQUEST_ID.set(request_id)
        began, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].extend((name.lower().encode(), value.encode()) for name, value in own.items())
            await send(message)

        try:
            await self._serve(scope, receive, send_with_headers, headers, lambda: status)
        finally:
            taken = time.perf_counter() - began
            self.meter.observe(scope, status, taken)
            log.info("%s %s %s %.1f ms", scope["method"], scope["path"], status, taken * 1000)
            REQUEST_ID.reset(token)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, headers: Headers, status: object) -> None:
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self.max_body and int(length) > (limit := self._limit(scope)):
            await answer(413, _too_large(limit).message)(scope, receive, send)
            return
        try:
            await self.app(scope, self._bounded(scope, receive), send)
        except Exception:  # the edge is one of the two places that may not die of anything
            log.exception("%s %s failed", scope["method"], scope["path"])
            if callable(status) and status():
                raise  # half an answer is out already: the connection has to break
            message = f"Internal error; the log of the API has the cause under request id {REQUEST_ID.get()}."
            await answer(500, message)(scope, receive, send)

    def _limit(self, scope: Scope) -> int:
        """Bytes that this request's body may have."""
        fitting = (route for route in self.uploads if route.matches(scope)[0] is Match.FULL)
        return max([self.max_body, *(route.max_body for route in fitting)])

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_body and received > (limit := self._limit(scope)):
                raise _too_large(limit)
            return message

        return bounded


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The request body is larger than {limit / 1024 / 1024:g} MB, the limit of this server.")
