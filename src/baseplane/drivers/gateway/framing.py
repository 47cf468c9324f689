"""How a client learns where an answer ends, and what the door says itself."""

from dataclasses import dataclass
from email.utils import formatdate

import orjson

from baseplane.drivers.gateway import Answer, heads
from baseplane.drivers.gateway.heads import Head, Reply

BODILESS = frozenset({204, 304})
ID_HEADER = "sb-request-id"
_CLOSE = b"connection: close"


@dataclass(frozen=True, slots=True)
class Framing:
    """``lines`` go into the head. ``is_framed``: the client sees when something is missing; else only the end of the
    connection ends the answer. ``keep``: another request may follow.
    """

    lines: tuple[bytes, ...]
    keep: bool
    is_chunked: bool = False
    is_framed: bool = True


def framing(reply: Reply, head: Head, *, keep: bool) -> Framing:
    if reply.status == 101:
        return Framing((b"connection: upgrade", b"upgrade: " + (reply.upgrade or b"")), keep=False)
    lines: tuple[bytes, ...] = ()
    is_chunked, is_framed = False, True
    if reply.length is not None and reply.status != 204:
        lines = (b"content-length: %d" % reply.length,)
    elif reply.status not in BODILESS and head.is_1_1:
        lines = (b"transfer-encoding: chunked",)
        is_chunked = head.request.method != "HEAD"
    elif reply.status not in BODILESS:
        is_framed = keep = False
    return Framing(lines if keep else (*lines, _CLOSE), keep, is_chunked, is_framed)


def told(status: int, message: str) -> Answer:
    """What the door refuses by itself, readable for browsers too."""
    body = orjson.dumps({"message": message})
    headers = {"content-type": "application/json", "access-control-allow-origin": "*"}
    return Answer(status, body, headers, {"reason": message})


def own_head(answer: Answer, request_id: str, *, is_last: bool) -> bytes:
    """Raises ValueError when the answer's headers would break out of their line."""
    lines = [(b"date", formatdate(usegmt=True).encode())]
    own = () if answer.status in BODILESS else (b"content-length: %d" % len(answer.body),)
    headers = {ID_HEADER: request_id, **answer.headers}
    return heads.for_client(answer.status, lines, headers, *own, *((_CLOSE,) if is_last else ()))
