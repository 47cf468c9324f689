"""The HTTP door of all projects: what it asks, and the shapes in which it is answered. It knows no rule itself."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

BODY = 20 * 1024 * 1024
"""Bytes of a request's body, where nothing else is said."""


def nothing() -> None: ...


def no_answer() -> "Answer | None":
    return None


def fresh_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request. ``target`` is path and query as they were sent; header names are in lower case, values of
    the same name joined by a comma. ``host`` is in lower case and without its port. ``address`` is the client's, behind
    trusted proxies the one they tell. ``id`` goes to the upstream and back to the client.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    host: str
    address: str
    encrypted: bool
    id: str = field(default_factory=fresh_id)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the door's own. ``about`` goes into the record."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a request goes: a Unix socket that takes HTTP/1.1. Bodies stream both ways; upgrades become plain streams.

    Connections are kept for the next request to the same ``socket``: another process behind it needs another path.
    ``headers`` replace those of the same name, in lower case, or with None remove them; ``answer_headers`` do the same
    to the answer, and ``error_headers`` beside them to one of 500 or above. ``first_byte`` and ``wall`` are in seconds from when it is handed on, ``response`` and ``request`` in
    bytes of the bodies; None is no limit. ``broken`` tells what to answer when the upstream ends or is too late before its first byte;
    ``release`` is called once, when all is over. ``about`` goes into the record.
    """

    socket: str
    target: str
    headers: Mapping[str, str | None] = field(default_factory=dict)
    answer_headers: Mapping[str, str | None] = field(default_factory=dict)
    error_headers: Mapping[str, str | None] = field(default_factory=dict)
    first_byte: float | None = None
    wall: float | None = None
    response: int | None = None
    broken: Callable[[], Answer | None] = no_answer
    release: Callable[[], None] = nothing
    about: Mapping[str, str] = field(default_factory=dict)
    request: int | None = BODY


@dataclass(slots=True)
class Record:
    """What became of one request. Times are in seconds, sizes in bytes of the bodies.

    ``routed`` is what the router took, ``first_byte`` the time from the request to its answer's head, ``taken`` to its
    end. A request that could not be read has what could be read of it.
    """

    request: Request
    status: int = 0
    taken: float = 0.0
    received: int = 0
    sent: int = 0
    about: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    routed: float = 0.0
    first_byte: float = 0.0


class Router(Protocol):
    """Decides where requests go. The door asks it once a request."""

    async def route(self, request: Request) -> Forward | Answer:
        """Never raises: what went wrong is an Answer."""

    def record(self, record: Record) -> None:
        """The request is over."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What strangers may take of the door. Times are in seconds, sizes in bytes.

    ``head`` bounds the head of a request or an answer, ``ahead`` how many requests may be sent before their turn,
    ``head_within`` the time for a request's, ``idle`` a connection
    between two requests, ``silence`` one that sends no more of a body, or reads no more of an answer. ``connect`` covers
    reaching an upstream, ``linger`` how long a refused client may take to read why, ``grace`` what runs when the door
    closes. ``buffered`` is what waits in memory per direction before the sender is made to wait. Up to ``pooled``
    connections per upstream are kept for ``pooled_for``.
    """

    connections: int = 10_000
    head: int = 64 * 1024
    headers: int = 128
    ahead: int = 256
    head_within: float = 10.0
    idle: float = 75.0
    silence: float = 60.0
    connect: float = 5.0
    linger: float = 3.0
    grace: float = 5.0
    buffered: int = 64 * 1024
    pooled: int = 64
    pooled_for: float = 15.0


__all__ = ["Answer", "Forward", "Limits", "Record", "Request", "Router"]
