"""REST over a project's database: the promise that every driver keeps, and the shapes it speaks in."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from baseplane.errors import BaseplaneError


class RestFailed(BaseplaneError):
    """The REST server did not come up; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class RestSpec:
    """What a project's REST server should be; another spec is another process.

    ``cluster`` is the directory of the cluster's socket, ``password`` that of role authenticator inside, ``jwks`` the
    key set, as JSON, that tokens are signed with.
    """

    ref: str
    cluster: Path
    password: str = field(repr=False)
    jwks: str = field(repr=False)
    schemas: tuple[str, ...]
    extra_search_path: tuple[str, ...]
    max_rows: int
    pool: int


class RestDriver(Protocol):
    """Runs REST servers. ``stop`` is idempotent."""

    def version(self) -> str | None:
        """Of the server on this machine; None when there is none."""

    def lease(self, spec: RestSpec) -> AbstractAsyncContextManager[Path]:
        """The socket of the running server, started if need be, held for one request. Raises RestFailed."""

    async def stop(self, ref: str) -> None:
        """End the project's server here."""


__all__ = ["RestDriver", "RestFailed", "RestSpec"]
