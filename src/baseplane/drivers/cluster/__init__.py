"""Postgres clusters: the promise that every driver keeps, and the shapes it speaks in."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
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


class SettingsRefused(BaseplaneError):
    """Postgres would not start with these settings, or does not take them; the message says what it objects to."""


class StandbyRefused(BaseplaneError):
    """The primary cannot have one more standby; the message says what stands in the way."""


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
    secrets of schema vault: the first does, the others only open what they encrypted before. ``settings`` are
    parameters of Postgres and their values, as text; they go before those that the driver chooses.
    """

    ref: str
    engine: int
    size: str
    secret: str
    password: str
    root_keys: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StandbySpec:
    """What a read replica should be: a cluster that follows its ``primary``, with the same settings.

    ``name`` names it as a ref names a cluster; it begins with the primary's ref and a hyphen.
    """

    name: str
    primary: ClusterSpec

    @property
    def slot(self) -> str:
        """The slot at the primary that keeps what it has not read yet."""
        return self.name.replace("-", "_")


class Slot(StrEnum):
    """``LOST`` is a slot that fell so far behind that the primary gave it up."""

    KEPT = "kept"
    LOST = "lost"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Link:
    """How a standby follows: by how many bytes of write-ahead log, and by how many seconds at most, it is behind.

    ``seconds`` is None where it has replayed nothing yet.
    """

    slot: Slot
    streams: bool
    bytes: int
    seconds: float | None


class State(StrEnum):
    MISSING = "missing"
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"


class ClusterStandbys(Protocol):
    """Runs read replicas. Each is a cluster, too: ``ClusterDriver`` stops, observes, measures and connects it by its name.

    All are idempotent, and go on after a crash where they were.
    """

    async def fill(self, spec: StandbySpec) -> bool:
        """Copy the primary, which must run; tells whether the copy is whole, and is to be asked again until it is.

        Raises StandbyRefused, ClusterMissing when the primary is gone, DriverUnavailable, Unavailable.
        """

    async def start(self, spec: StandbySpec) -> None:
        """Serve it, reading only. Raises ClusterMissing, StartFailed, DriverUnavailable."""

    async def link(self, spec: StandbySpec) -> Link:
        """How it follows at this moment. Raises ClusterMissing, Unavailable when one of both does not answer."""

    async def is_current(self, spec: StandbySpec) -> bool:
        """Whether its settings were made for ``spec``. Raises ClusterMissing."""

    async def follow(self, spec: StandbySpec) -> None:
        """Serve it with the settings of ``spec``; restarts it where one needs that. Raises as ``start``, SettingsRefused."""

    async def catch_up(self, spec: StandbySpec, within: float) -> None:
        """Return when it has replayed what the primary has written by now. Raises Unavailable after ``within`` seconds."""

    async def remove(self, spec: StandbySpec) -> None:
        """Delete everything it has, here and at the primary, whatever state both are in. Raises Unavailable."""


class ClusterDriver(Protocol):
    """Runs Postgres clusters. ``create``, ``start``, ``stop``, ``configure``, ``set_password`` and ``remove`` are idempotent: a
    second call with the same arguments changes nothing, and a call after a crash of the first finishes its work.
    """

    @property
    def standbys(self) -> ClusterStandbys:
        """Clusters that follow others."""

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

    async def rehearse(self, spec: ClusterSpec) -> int:
        """Check that the cluster would start with the settings of ``spec``; nothing changes.

        Gives the shared memory that it would take, in megabytes. Raises SettingsRefused, ClusterMissing,
        DriverUnavailable.
        """

    async def configure(self, spec: ClusterSpec) -> frozenset[str]:
        """Write the settings of ``spec``, durably; a cluster that runs takes those that it can at once.

        Gives the names of those that wait for its next start. Raises SettingsRefused, ClusterMissing, Unavailable.
        """

    async def observe(self, ref: str) -> State:
        """What is there now."""

    async def observe_all(self) -> dict[str, State]:
        """The same for every cluster that this driver has."""

    async def measure(self, ref: str) -> int:
        """The bytes that its data, write-ahead log included, take on disk. Raises ClusterMissing."""

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
    "ClusterStandbys",
    "DriverUnavailable",
    "Link",
    "Role",
    "SettingsRefused",
    "Slot",
    "StandbyRefused",
    "StandbySpec",
    "StartFailed",
    "State",
]
