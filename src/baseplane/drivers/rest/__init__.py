"""REST over a project's database: the promise that every driver keeps, and the shapes it speaks in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from baseplane.errors import BaseplaneError

NOT_INSTALLED = "REST_NOT_INSTALLED"
"""``code`` of the answer where there is no REST server at all."""
SWITCHED_OFF = "REST_SWITCHED_OFF"
"""``code`` of the answer where the project's Data API is off."""

Prepare = Callable[[], Awaitable[None]]
"""Makes the database ready for a server that is about to be started. Raises BaseplaneError."""


class RestFailed(BaseplaneError):
    """The REST server did not come up, or does not answer; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class RestSpec:
    """What a project's REST server should be; another spec is another process.

    ``cluster`` is the directory of the cluster's socket, ``password`` that of role authenticator inside, ``jwks`` the
    key set, as JSON, that tokens are signed with, ``url`` where clients find the server.
    """

    ref: str
    url: str
    cluster: Path
    password: str = field(repr=False)
    jwks: str = field(repr=False)
    schemas: tuple[str, ...]
    extra_search_path: tuple[str, ...]
    max_rows: int
    pool: int


@dataclass(frozen=True, slots=True)
class Lease:
    """A server held for one request: it goes on at least until ``release``, which may be called more than once."""

    socket: Path
    release: Callable[[], None]


class RestDriver(Protocol):
    """Runs REST servers. ``stop`` is idempotent."""

    def version(self) -> str | None:
        """Of the server on this machine; None when there is none."""

    async def lease(self, spec: RestSpec, prepare: Prepare) -> Lease:
        """The running server, started if need be, once ``prepare`` is done. Raises RestFailed, what prepare raises."""

    def running(self, ref: str) -> int:
        """How many servers of the project run here."""

    async def stop(self, ref: str) -> None:
        """End the project's server here."""


__all__ = ["NOT_INSTALLED", "SWITCHED_OFF", "Lease", "Prepare", "RestDriver", "RestFailed", "RestSpec"]
