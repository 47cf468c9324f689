"""The HTTP door of all projects: what it asks, and the shapes in which it is answered. It knows no rule itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


def nothing() -> None: ...


def no_answer() -> "Answer | None":
    return None


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request. ``target`` is path and query as they were sent; header names are in lower case, values of
    the same name joined by a comma. ``address`` is the client's, behind trusted proxies the one they tell.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    host: str
    address: str
    encrypted: bool

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the door's own."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a request goes: a Unix socket that takes HTTP/1.1. Bodies stream both ways; upgrades become plain streams.

    ``headers`` replace those of the same name, in lower case, or with None remove them; ``answer_headers`` do the same
    to the answer. ``first_byte`` and ``wall`` are in seconds, ``response`` in bytes; None is no limit.
    ``broken`` tells what to answer when the upstream ends or is too late before its first byte; ``release`` is called
    once, when all is over. ``about`` goes into the record.
    """

    socket: str
    target: str
    headers: Mapping[str, str | None] = field(default_factory=dict)
    answer_headers: Mapping[str, str | None] = field(default_factory=dict)
    first_byte: float | None = None
    wall: float | None = None
    response: int | None = None
    broken: Callable[[], Answer | None] = no_answer
    release: Callable[[], None] = nothing
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """What became of one request. Times are in seconds, sizes in bytes."""

    request: Request
    status: int = 0
    taken: float = 0.0
    received: int = 0
    sent: int = 0
    about: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


class Router(Protocol):
    """Decides where requests go. The door asks it once a request."""

    async def route(self, request: Request) -> Forward | Answer:
        """Never raises: what went wrong is an Answer."""

    def record(self, record: Record) -> None:
        """The request is over."""


__all__ = ["Answer", "Forward", "Record", "Request", "Router"]
