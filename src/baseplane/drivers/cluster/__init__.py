"""Postgres clusters: the promise that every driver keeps, and the shapes it speaks in."""

from collections.abc import Awaitable, Callable, Mapping
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


class UpgradeRefused(BaseplaneError):
    """The cluster cannot go to that major, or the attempt failed; the message says what stands in the way."""


class StandbyRefused(BaseplaneError):
    """The primary cannot have one more standby; the message says what stands in the way."""


class Role(StrEnum):
    """As whom the platform connects. ``OWNER`` acts as role postgres, which is no superuser."""

    ADMIN = "supabase_admin"
    OWNER = "baseplane_query"
    READER = "supabase_read_only_user"


AskSecret = Callable[[], Awaitable[str]]
"""A way to the secret of a ``ClusterSpec``, for who would have to fetch it."""


async def told(secret: str | AskSecret) -> str:
    return secret if isinstance(secret, str) else await secret()


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


class ClusterUpgrades(Protocol):
    """Takes clusters to another major, whose data is prepared aside under a label (``ClusterDriver.switch_in``).

    Each can be called again after a crash, and begins anew then. The old data stays as it is.
    """

    def offered(self, engine: int) -> dict[int, str]:
        """The majors above ``engine`` that are here, and their full versions."""

    def extensions(self, engine: int) -> frozenset[str]:
        """The names of the extensions that this major has here. Raises UpgradeRefused when it is not offered."""

    async def prepare(self, spec: ClusterSpec, engine: int, label: str) -> None:
        """Make the frame of the new cluster and hold the old one, which runs, against it; ``discard`` removes it.

        Raises UpgradeRefused, DriverUnavailable, ClusterMissing.
        """

    async def carry_over(self, spec: ClusterSpec, engine: int, label: str) -> None:
        """Bring everything that the stopped cluster holds into the new one. Raises UpgradeRefused, ClusterMissing."""

    async def finish(self, spec: ClusterSpec, engine: int, label: str) -> list[str]:
        """Start the new one aside, bring extensions and the platform's own objects up to date, stop it.

        Gives what stays old, as sentences. Raises StartFailed, Unavailable.
        """

    async def break_off(self, ref: str, label: str) -> None:
        """End what an attempt has left running, the old cluster too if the attempt has begun to carry it over."""

    async def mend(self, spec: ClusterSpec) -> None:
        """Give the old cluster, which runs again, back what was changed for carrying it over. Raises Unavailable."""

    async def gather_statistics(self, spec: ClusterSpec) -> None:
        """Have the planner's statistics made that did not come along. Raises Unavailable."""


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
    """Runs Postgres clusters. ``create``, ``start``, ``stop``, ``configure``, ``set_password``, ``remove`` and those that switch
    are idempotent: a second call with the same arguments changes nothing, and a call after a crash of the first
    finishes its work.
    """

    @property
    def upgrades(self) -> ClusterUpgrades:
        """The way to another major."""

    @property
    def standbys(self) -> ClusterStandbys:
        """Clusters that follow others."""

    def version(self, engine: int) -> str:
        """The full version that a new cluster of this Postgres major gets. Raises DriverUnavailable."""

    async def create(self, spec: ClusterSpec) -> None:
        """Make the cluster's files, durably. Raises DriverUnavailable."""

    async def start(self, spec: ClusterSpec, *, closed: bool = False) -> None:
        """Serve it, with the settings of ``spec``. Raises ClusterMissing, StartFailed, DriverUnavailable.

        One that is started ``closed`` lets in Role.ADMIN alone, until it is started again without.
        """

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

    async def switch_in(self, ref: str, label: str) -> None:
        """Stop the cluster and let what was prepared as ``label`` be its data; the old data is kept.

        Raises ClusterMissing when nothing was prepared, with the cluster as it was.
        """

    async def switch_back(self, ref: str, label: str) -> None:
        """Let the data that ``label`` replaced be the cluster's again, stopped; nothing when it was not switched in."""

    async def discard(self, ref: str, label: str) -> None:
        """Delete what is left of ``label`` and is not the cluster's data: what was prepared, or what it replaced."""

    async def observe(self, ref: str) -> State:
        """What is there now."""

    async def observe_all(self) -> dict[str, State]:
        """The same for every cluster that this driver has."""

    async def measure(self, ref: str) -> int:
        """The bytes that its data and its write-ahead log, with what waits for the archive, take on disk. Raises ClusterMissing."""

    async def set_password(self, spec: ClusterSpec) -> None:
        """Give role postgres the password of ``spec``. Raises ClusterMissing, StartFailed."""

    async def give_root_keys(self, spec: ClusterSpec) -> None:
        """Let the cluster encrypt with the root keys of ``spec`` from now on. Raises ClusterMissing."""

    def connect(
        self, ref: str, role: Role, secret: str | AskSecret
    ) -> AbstractAsyncContextManager[psycopg.AsyncConnection[tuple[object, ...]]]:
        """Borrow a connection to its database postgres, in autocommit, with no state of earlier borrowers.

        Who gives a way to the secret is asked only when no connection is kept that could be lent.

        Raises ClusterMissing, Unavailable.
        """


__all__ = [
    "AskSecret",
    "ClusterDriver",
    "ClusterMissing",
    "ClusterSpec",
    "ClusterStandbys",
    "ClusterUpgrades",
    "DriverUnavailable",
    "Link",
    "Role",
    "SettingsRefused",
    "Slot",
    "StandbyRefused",
    "StandbySpec",
    "StartFailed",
    "State",
    "UpgradeRefused",
    "told",
]
