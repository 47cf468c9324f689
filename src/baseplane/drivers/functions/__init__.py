"""Edge functions: the promise that every driver keeps, and the shapes it speaks in."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from baseplane.errors import BaseplaneError


class FunctionBroken(BaseplaneError):
    """A version that cannot serve: it does not load. The message names file and line as its author wrote them."""


class SourceMissing(BaseplaneError):
    """The version is not prepared on this machine: call ``prepare`` first."""


class FunctionFailed(BaseplaneError):
    """It did not answer a request. ``code`` is one of the contract's ``sb-error-code``, ``status`` goes with it
    (platform.md, section 8).
    """

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message, code=code)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One version of a function. ``number`` tells it from every other, also from those that did not load; ``version``
    is what its users see. ``entrypoint`` and ``import_map`` are paths relative to the root of its source; ``digest`` is
    the SHA-256 of that source, in hex.
    """

    ref: str
    id: str
    slug: str
    number: int
    version: int
    entrypoint: str
    import_map: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What one version may take. Times are in seconds, sizes in bytes (platform.md, section 8)."""

    memory: int = 256 * 1024 * 1024
    cpu: float = 2.0
    """Of processor time for one request, on average of those that run."""
    first_byte: float = 150.0
    """From the request to the first byte of its answer."""
    wall: float = 400.0
    """From a request to the end of its answer, and for work in the background after it."""
    boot: float = 10.0
    idle: float = 60.0
    """Without a request, after which its process is stopped."""
    response: int = 512 * 1024 * 1024


class Lease(Protocol):
    """A running version, held for one request. ``socket`` takes HTTP/1.1."""

    @property
    def socket(self) -> Path: ...

    @property
    def execution_id(self) -> str:
        """The process': requests that it serves side by side share it."""

    def verdict(self) -> FunctionFailed | None:
        """What became of the process, once the connection to it is broken; None while it lives."""


class FunctionsDriver(Protocol):
    """Runs functions. ``prepare``, ``stop`` and ``remove`` are idempotent."""

    async def prepare(self, spec: FunctionSpec, source: Mapping[str, bytes], environment: Mapping[str, str]) -> None:
        """Put the source in its place, fetch what it imports, and let it load once, in the sandbox, with
        ``environment``. A version that is prepared already is left as it is. Raises FunctionBroken, DriverUnavailable.
        """

    def lease(self, spec: FunctionSpec, environment: Mapping[str, str]) -> AbstractAsyncContextManager[Lease]:
        """The running version, started if need be; with another ``environment`` than it was started with, a new
        process takes over. Raises SourceMissing, FunctionFailed.
        """

    def running(self, ref: str) -> int:
        """How many processes of the project run here."""

    async def stop(self, ref: str) -> None:
        """End every process of the project here."""

    async def remove(self, ref: str, id: str | None = None) -> None:  # noqa: A002 -- the field's name
        """The same, and delete the files of one function or of all."""


__all__ = ["FunctionBroken", "FunctionFailed", "FunctionSpec", "FunctionsDriver", "Lease", "Limits", "SourceMissing"]
