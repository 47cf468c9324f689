"""Postgres clusters: the promise that every driver keeps, and the shapes it speaks in."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import psycopg

from baseplane.errors import BaseplaneError


class ClusterMissing(BaseplaneError):
    """There is no such cluster: its data directory is gone or was never made."""


class DriverUnavailable(BaseplaneError):
    """The driver cannot act: a program, a directory or a right that it needs is missing."""


class StartFailed(BaseplaneError):
    """Postgres did not come up; the message ends with what it logged."""


class Role(StrEnum):
    """As whom the platform connects. ``OWNER`` acts as role postgres, which is no superuser."""

    ADMIN = "supabase_admin"
    OWNER = "baseplane_query"
    READER = "supabase_read_only_user"


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """What a cluster should be.

    ``ref`` names it, ``engine`` is a Postgres major, ``size`` a compute size of the contract. ``secret`` is the
    password of the platform's own roles inside, ``password`` that of role postgres. ``root_keys``, in hex, encrypt the
    secrets of schema vault: the first does, the others only open what they encrypted before.
    """

    ref: str
    engine: int
    size: str
    secret: str
    password: str
    root_keys: tuple[str, ...]


class State(StrEnum):
    MISSING = "missing"
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"


class ClusterDriver(Protocol):
    """Runs Postgres clusters. ``create``, ``start``, ``stop``, ``set_password`` and ``remove`` are idempotent: a second
    call with the same arguments changes nothing, and a call after a crash of the first finishes its work.
    """

    def version(self, engine: int) -> str:
        """The full version that a new cluster of this Postgres major gets. Raises DriverUnavailable."""

    async def create(self, spec: ClusterSpec) -> None:
        """Make the cluster's files, durably. Raises DriverUnavailable."""

    async def start(self, spec: ClusterSpec) -> None:
        """Serve it, with the settings of ``spec``. Raises ClusterMissing, StartFailed, DriverUnavailable."""

    async def stop(self, ref: str) -> None:
        """End its sessions and shut it down cleanly; what was committed is on disk. Raises DriverUnavailable."""

    async def remove(self, ref: str) -> None:
        """Stop it and delete everything it had."""

    async def observe(self, ref: str) -> State:
        """What is there now."""

    async def observe_all(self) -> dict[str, State]:
        """The same for every cluster that this driver has."""

    async def set_password(self, spec: ClusterSpec) -> None:
        """Give role postgres the password of ``spec``. Raises ClusterMissing, StartFailed."""

    async def give_root_keys(self, spec: ClusterSpec) -> None:
        """Let the cluster encrypt with the root keys of ``spec`` from now on. Raises ClusterMissing."""

    def connect(
        self, ref: str, role: Role, secret: str
    ) -> AbstractAsyncContextManager[psycopg.AsyncConnection[tuple[object, ...]]]:
        """Borrow a connection to its database postgres, in autocommit, with no state of earlier borrowers.

        Raises ClusterMissing, Unavailable.
        """


__all__ = [
    "ClusterDriver",
    "ClusterMissing",
    "ClusterSpec",
    "DriverUnavailable",
    "Role",
    "StartFailed",
    "State",
]
