"""How a client learns where an answer ends, and what the door says itself."""

from dataclasses import dataclass
from email.utils import formatdate

import orjson

from baseplane.drivers.gateway import Answer, Forward, codes, heads
from baseplane.drivers.gateway.heads import Head, Malformed, Reply

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


def check(reply: Reply, head: Head, forward: Forward) -> None:
    """Raises Malformed for an answer that cannot be passed on."""
    if reply.status == 101 and (reply.upgrade or b"").decode("latin-1").lower() != head.upgrade:
        raise Malformed(502, "the answer changes the protocol unasked")
    if forward.response is not None and reply.length is not None and reply.length > forward.response:
        raise Malformed(502, f"the answer is larger than {forward.response} bytes")


def named_headers(reply: Reply, forward: Forward, request_id: str) -> dict[str, str | None]:
    """Those of an answer that are not the upstream's to say."""
    ours = {ID_HEADER: request_id, **forward.answer_headers}
    return ours | dict(forward.error_headers) if reply.status >= 500 else ours


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


def told(status: int, message: str, code: str | None = None) -> Answer:
    """What the door refuses by itself, readable for browsers too."""
    code = code or codes.of(status)
    body = orjson.dumps({"message": message, "code": code})
    headers = {
        "content-type": "application/json",
        "access-control-allow-origin": "*",
        "access-control-expose-headers": f"{codes.HEADER}, {ID_HEADER}",
        codes.HEADER: code,
    }
    return Answer(status, body, headers, {"reason": message, "code": code})


def own_head(answer: Answer, request_id: str, *, is_last: bool) -> bytes:
    """Raises ValueError when the answer's headers would break out of their line."""
    lines = [(b"date", formatdate(usegmt=True).encode())]
    own = () if answer.status in BODILESS else (b"content-length: %d" % len(answer.body),)
    headers = {ID_HEADER: request_id, **answer.headers}
    return heads.for_client(answer.status, lines, headers, *own, *((_CLOSE,) if is_last else ()))
