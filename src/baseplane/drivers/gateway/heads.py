"""Heads of requests and answers: read strictly, and written anew, so that nobody behind reads them in another way."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address

from baseplane.drivers.gateway import Request, codes

Line = tuple[bytes, bytes]

HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
    *("http2-settings", "proxy-authenticate", "proxy-authorization"),
}
"""RFC 9110, section 7.6.1: what concerns one connection alone."""
_OURS = HOP_BY_HOP | {
    *("expect", "content-length", "host", "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip")
}
"""Of a request: said by us or by nobody."""
_DROPPED_OF_ANSWERS = frozenset(name.encode() for name in HOP_BY_HOP | {"content-length"})
_TARGET = re.compile(r"/[\x21\x22\x24-\x7e]*")
_ABSOLUTE = re.compile(r"https?://(?P<host>[^/?#]+)(?P<target>[/?].*)?", re.IGNORECASE)
_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


class Malformed(Exception):
    """The request cannot be taken. The message goes to the client."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Hop:
    """What is in front of a listening socket: how many proxies that append to X-Forwarded-For and are believed."""

    proxies: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """``length`` is that of the body, None when it is chunked. ``keep``: the connection may serve another request.
    ``upgrade`` is the protocol that a client wants to change to.
    """

    request: Request
    length: int | None
    keep: bool
    is_1_1: bool
    expects: bool
    upgrade: str | None

    @property
    def has_body(self) -> bool:
        return self.length is None or self.length > 0


def joined(lines: Iterable[Line]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw, value in lines:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1").rstrip()
        if name in headers:
            headers[name] += ("; " if name == "cookie" else ", ") + text
        else:
            headers[name] = text
    return headers


def read(method: str, url: bytes, version: str, lines: Iterable[Line], hop: Hop, peer: str) -> Head:
    """Raises Malformed."""
    headers = joined(lines)
    target, host = _target(method, url.decode("latin-1"), headers, version)
    request = Request(method, target, headers, host, _address(headers, hop, peer), _is_encrypted(headers, hop))
    options = tokens(headers.get("connection", ""))
    is_1_1 = version == "1.1"
    wanted = headers.get("upgrade", "").lower() if is_1_1 and "upgrade" in options else ""
    length = _length(headers, is_1_1=is_1_1)
    # Other protocols, such as h2c, may be offered, and are left alone: the request is answered in this one.
    upgrade = wanted if wanted == "websocket" and length == 0 and method == "GET" else None
    expects = headers.get("expect", "").lower()
    if expects not in {"", "100-continue"}:
        raise Malformed(417, "Expect can only be 100-continue.")
    return Head(request, length, is_1_1 and "close" not in options, is_1_1, bool(expects) and is_1_1, upgrade)


def _target(method: str, target: str, headers: dict[str, str], version: str) -> tuple[str, str]:
    """What is asked for, and of which host. Raises Malformed."""
    if version not in {"1.0", "1.1"}:
        raise Malformed(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
    if method in {"CONNECT", "TRACE"}:
        raise Malformed(405, f"{method} is not served here.")
    if absolute := _ABSOLUTE.fullmatch(target):
        headers["host"] = absolute["host"]  # RFC 9112, section 3.2.2: it wins over the header
        target = absolute["target"] or "/"
        target = target if target.startswith("/") else "/" + target
    if not _TARGET.fullmatch(target):
        message = "The target must be a path, with nothing in it that has to be percent-encoded."
        raise Malformed(400, message, codes.INVALID_URL)
    if "host" not in headers and version == "1.0":
        return target, ""
    named = _HOST.fullmatch(headers.get("host", ""))
    if named is None:
        raise Malformed(400, "There must be one Host header, with a name and perhaps a port.")
    return target, named["name"].lower().removesuffix(".")


def _length(headers: Mapping[str, str], *, is_1_1: bool) -> int | None:
    """The parser has refused what is ambiguous: both framings, either of them twice, and signs. Raises Malformed."""
    coding = headers.get("transfer-encoding")
    if coding is None:
        return int(headers.get("content-length", "0"))
    if coding.lower() != "chunked":
        raise Malformed(501, "Transfer-Encoding can only be chunked.")
    if not is_1_1:
        raise Malformed(400, "Transfer-Encoding needs HTTP/1.1.")
    return None


def tokens(value: str) -> set[str]:
    return {part.strip().lower() for part in value.split(",")} if value else set()


def _address(headers: Mapping[str, str], hop: Hop, peer: str) -> str:
    """Every trusted proxy has appended its own client; what stands further to the left, anybody can have written."""
    if not hop.proxies:
        return peer
    told = [part.strip() for part in headers.get("x-forwarded-for", "").split(",")]
    return plain_address(told[-hop.proxies]) or peer if len(told) >= hop.proxies else peer


def plain_address(text: str) -> str:
    """IPv4 also where it is mapped; empty for what is no address."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else str(found)


def _is_encrypted(headers: Mapping[str, str], hop: Hop) -> bool:
    return hop.proxies > 0 and headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower() == "https"


def for_upstream(head: Head, target: str, changes: Mapping[str, str | None]) -> bytes:
    """Raises ValueError when ``target`` or ``changes`` would break out of their line."""
    request = head.request
    dropped = tokens(request.headers.get("connection", ""))
    headers: dict[str, str | None] = {
        name: value
        for name, value in request.headers.items()
        if name not in _OURS and name not in dropped and not name.startswith("x-forwarded-")
    }
    proto = "https" if request.encrypted else "http"
    headers["x-forwarded-for"] = headers["x-real-ip"] = request.address
    headers["x-forwarded-proto"] = proto
    headers["x-forwarded-host"] = headers["host"] = request.headers.get("host", "")
    headers["sb-request-id"] = request.id
    headers.update(changes)
    if head.upgrade:
        headers["connection"], headers["upgrade"] = "upgrade", head.upgrade
    elif head.length is None:
        headers["transfer-encoding"] = "chunked"
    elif head.length or "content-length" in request.headers:
        headers["content-length"] = str(head.length)
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    text = f"{request.method} {target} HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    if text.count("\n") != len(lines) + 2 or text.count("\r") != len(lines) + 2 or " " in target:
        raise ValueError("a header or target with a line break")
    return text.encode("latin-1")


@dataclass(slots=True)
class Reply:
    """The head of an upstream's answer. ``length`` is that of the body, None if only its end will tell."""

    status: int
    lines: list[Line]
    length: int | None = None
    chunked: bool = False
    keep: bool = True
    upgrade: bytes | None = None


def read_reply(status: int, version: str, raw: Iterable[Line]) -> Reply:
    """Raises Malformed."""
    reply = Reply(status, [], keep=version == "1.1")
    named: set[bytes] = set()
    for spelt, value in raw:
        name = spelt.lower()
        if name == b"content-length":
            reply.length = int(value)
        elif name == b"transfer-encoding":
            if value.strip().lower() != b"chunked":
                raise Malformed(502, "an answer in a transfer coding other than chunked")
            reply.chunked = True
        elif name == b"connection":
            named |= {token.encode("latin-1") for token in tokens(value.decode("latin-1"))}
        elif name == b"upgrade":
            reply.upgrade = value
        if name not in _DROPPED_OF_ANSWERS:
            reply.lines.append((name, value))
    if named:
        reply.keep = reply.keep and b"close" not in named
        reply.lines = [line for line in reply.lines if line[0] not in named]
    return reply


_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode() for status in HTTPStatus}


def for_client(status: int, lines: Iterable[Line], changes: Mapping[str, str | None], *framing: bytes) -> bytes:
    """``framing`` are whole lines of ours. Raises ValueError when ``changes`` would break out of their line."""
    out = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} ".encode()]
    if changes:
        replaced = {name.encode() for name in changes}
        out += [name + b": " + value for name, value in lines if name not in replaced]
        out += [f"{name}: {value}".encode("latin-1") for name, value in changes.items() if value is not None]
    else:
        out += [name + b": " + value for name, value in lines]
    out += framing
    head = b"\r\n".join(out) + b"\r\n\r\n"
    if head.count(b"\n") != len(out) + 1:
        raise ValueError("a header with a line break")
    return head
