"""Transaction poolers, one per project: the promise that every driver keeps, and the shapes it speaks in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from baseplane.errors import BaseplaneError

PoolMode = Literal["transaction", "session"]


class PoolerFailed(BaseplaneError):
    """The pooler did not come up, or did not take its settings; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """``default_pool_size`` is in server connections per user and database, ``max_client_conn`` in clients."""

    pool_mode: PoolMode
    default_pool_size: int
    max_client_conn: int


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """What a project's pooler should be.

    ``cluster`` is the directory of the cluster's socket. ``password`` is that of role pgbouncer inside, which looks up
    the verifiers of those who log in; ``users`` are verifiers that it does not look up, by role.
    """

    ref: str
    cluster: Path
    settings: PoolSettings
    password: str
    users: dict[str, str]


class PoolerDriver(Protocol):
    """Runs poolers. ``start`` and ``stop`` are idempotent."""

    def version(self) -> str | None:
        """Of the pooler on this machine; None when there is none."""

    async def find(self, ref: str) -> Path | None:
        """The socket at which a running pooler takes clients."""

    async def start(self, spec: PoolSpec) -> Path:
        """Serve, and give the socket. Raises PoolerFailed."""

    async def apply(self, ref: str, settings: PoolSettings) -> None:
        """Make a running pooler serve with these settings, and see that it does. Raises PoolerFailed."""

    async def stop(self, ref: str) -> None:
        """End its clients and the pooler itself."""

    async def idle(self) -> set[str]:
        """The projects whose pooler runs and has no client now."""


__all__ = ["PoolMode", "PoolSettings", "PoolSpec", "PoolerDriver", "PoolerFailed"]
