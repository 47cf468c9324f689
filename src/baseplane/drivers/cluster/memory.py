"""Clusters that are only remembered, for tests of what stands on a driver. Their databases are all one real one."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import psycopg

from baseplane.drivers.cluster import (
    AskSecret,
    ClusterMissing,
    ClusterSpec,
    Link,
    Role,
    SettingsRefused,
    Slot,
    StandbySpec,
    State,
    UpgradeRefused,
    told,
)
from baseplane.drivers.cluster.connections import Connection
from baseplane.errors import Unavailable

AT_START = ("max_connections", "shared_buffers", "max_wal_senders")
"""Parameters that these clusters take only when they start."""
RESERVED = 3


class MemoryClusters:
    """``url`` names the database that every cluster's connections lead to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.specs: dict[str, ClusterSpec] = {}
        self.running: set[str] = set()
        self.closed: set[str] = set()
        """Those of them that let in Role.ADMIN alone."""
        self.used: dict[str, int] = {}
        """Bytes on disk, by ref."""
        self.started: dict[str, ClusterSpec] = {}
        """What each was last started with."""
        self.prepared: dict[tuple[str, str], object] = {}
        """What was made aside, by ref and label; once it is switched in, what it replaced."""
        self.promised: dict[tuple[str, str], ClusterSpec] = {}
        """What a cluster is that has no data, or lost it, until what was made aside is switched in."""
        self.data: dict[str, object] = {}
        """What each cluster holds, where something was switched in."""
        self.switched: set[tuple[str, str]] = set()
        self.upgrades = MemoryUpgrades(self)
        self.slots: dict[str, Slot] = {}
        """Of standbys, by their names."""
        self.copies: set[str] = set()
        """Standbys that are being filled."""

    @property
    def standbys(self) -> "MemoryStandbys":
        return MemoryStandbys(self)

    def version(self, engine: int) -> str:
        return f"{engine}.0"

    async def create(self, spec: ClusterSpec) -> None:
        self.specs.setdefault(spec.ref, spec)

    async def start(self, spec: ClusterSpec, *, closed: bool = False) -> None:
        if spec.ref not in self.specs:
            raise ClusterMissing(f"The data directory of project {spec.ref} is gone.")
        if not closed:
            self.closed.discard(spec.ref)
        if spec.ref not in self.running:
            self.specs[spec.ref] = self.started[spec.ref] = self._take(spec)
            self.closed |= {spec.ref} if closed else set()
        self.running.add(spec.ref)

    async def stop(self, ref: str) -> None:
        self.running.discard(ref)

    async def remove(self, ref: str) -> None:
        await self.stop(ref)
        self.specs.pop(ref, None)
        for label in [label for of, label in self.prepared if of == ref]:
            await self.discard(ref, label)

    async def rehearse(self, spec: ClusterSpec) -> int:
        if int(spec.settings.get("max_connections", 60)) <= RESERVED:
            raise SettingsRefused(f'"superuser_reserved_connections" ({RESERVED}) must be less than "max_connections"')
        return 1

    async def configure(self, spec: ClusterSpec) -> frozenset[str]:
        if spec.ref not in self.specs:
            raise ClusterMissing(f"The data directory of project {spec.ref} is gone.")
        self.specs[spec.ref] = self._take(spec)
        if spec.ref not in self.running:
            return frozenset()
        before = self.started[spec.ref]
        waiting = {name for name in AT_START if spec.settings.get(name) != before.settings.get(name)}
        return frozenset(waiting | ({"shared_buffers"} if spec.size != before.size else set()))

    def _take(self, spec: ClusterSpec) -> ClusterSpec:
        """Settings and size are those of the next start."""
        return replace(self.specs[spec.ref], settings=spec.settings, size=spec.size)

    async def switch_in(self, ref: str, label: str) -> None:
        if (ref, label) in self.switched:
            return
        if (ref, label) not in self.prepared:
            raise ClusterMissing(f"There is no data directory that was prepared as {label}.")
        if (ref, label) in self.promised:
            self.specs.setdefault(ref, self.promised[ref, label])
        await self._exchange(ref, label)
        self.switched.add((ref, label))

    async def switch_back(self, ref: str, label: str) -> None:
        if (ref, label) in self.switched:
            await self._exchange(ref, label)
            self.switched.discard((ref, label))

    async def _exchange(self, ref: str, label: str) -> None:
        await self.stop(ref)
        old = self.data.get(ref)
        self.data[ref], self.prepared[ref, label] = self.prepared[ref, label], old

    async def discard(self, ref: str, label: str) -> None:
        self.prepared.pop((ref, label), None)
        self.promised.pop((ref, label), None)
        self.switched.discard((ref, label))

    async def observe(self, ref: str) -> State:
        if ref not in self.specs:
            return State.MISSING
        return State.RUNNING if ref in self.running else State.STOPPED

    async def observe_all(self) -> dict[str, State]:
        return {ref: await self.observe(ref) for ref in self.specs}

    async def measure(self, ref: str) -> int:
        if ref not in self.specs:
            raise ClusterMissing(f"The data directory of project {ref} is gone.")
        return self.used.get(ref, 30 * 1024 * 1024)

    async def set_password(self, spec: ClusterSpec) -> None:
        async with self.connect(spec.ref, Role.ADMIN, spec.secret):
            self.specs[spec.ref] = replace(self.specs[spec.ref], password=spec.password)

    async def give_root_keys(self, spec: ClusterSpec) -> None:
        if spec.ref not in self.specs:
            raise ClusterMissing(spec.ref)
        self.specs[spec.ref] = replace(self.specs[spec.ref], root_keys=spec.root_keys)

    def connect(self, ref: str, role: Role, secret: str | AskSecret) -> AbstractAsyncContextManager[Connection]:
        return self._connect(ref, role, secret)

    @contextlib.asynccontextmanager
    async def _connect(self, ref: str, role: Role, secret: str | AskSecret) -> AsyncIterator[Connection]:
        if ref not in self.specs:
            raise ClusterMissing(f"There is no cluster of project {ref} on this machine.")
        if ref not in self.running or self.specs[ref].secret != await told(secret):
            raise Unavailable("The project's database does not take connections: it is stopped.")
        if ref in self.closed and role is not Role.ADMIN:
            raise Unavailable("The project's database does not take connections: it is closed.")
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            yield connection


class MemoryUpgrades:
    """``objections`` has what is in the way of each project, by the method that says so."""

    def __init__(self, clusters: MemoryClusters) -> None:
        self.clusters = clusters
        self.objections: dict[tuple[str, str], str] = {}

    def offered(self, engine: int) -> dict[int, str]:
        return {major: self.clusters.version(major) for major in (17, 18) if major > engine}

    def extensions(self, engine: int) -> frozenset[str]:  # noqa: ARG002
        return frozenset({"plpgsql"})

    def _object(self, ref: str, method: str) -> None:
        if ref not in self.clusters.specs:
            raise ClusterMissing(f"The data directory of project {ref} is gone.")
        if objection := self.objections.get((ref, method)):
            raise UpgradeRefused(objection)

    async def prepare(self, spec: ClusterSpec, engine: int, label: str) -> None:
        self._object(spec.ref, "prepare")
        self.clusters.prepared[spec.ref, label] = f"an empty {engine}"

    async def carry_over(self, spec: ClusterSpec, engine: int, label: str) -> None:
        self._object(spec.ref, "carry_over")
        if spec.ref in self.clusters.running:
            raise UpgradeRefused("It runs.")
        self.clusters.prepared[spec.ref, label] = engine

    async def finish(self, spec: ClusterSpec, engine: int, label: str) -> list[str]:  # noqa: ARG002
        self._object(spec.ref, "finish")
        return []

    async def break_off(self, ref: str, label: str) -> None: ...

    async def mend(self, spec: ClusterSpec) -> None:
        async with self.clusters.connect(spec.ref, Role.ADMIN, spec.secret):
            pass

    async def gather_statistics(self, spec: ClusterSpec) -> None:
        await self.mend(spec)


@dataclass(frozen=True, slots=True)
class MemoryStandbys:
    clusters: MemoryClusters

    async def fill(self, spec: StandbySpec) -> bool:
        """Takes two calls, as a real copy takes several."""
        clusters = self.clusters
        if spec.name not in clusters.specs:
            async with clusters.connect(spec.primary.ref, Role.ADMIN, spec.primary.secret):
                clusters.slots[spec.name] = Slot.KEPT
            if spec.name not in clusters.copies:
                clusters.copies.add(spec.name)
                return False
            clusters.copies.remove(spec.name)
            clusters.specs[spec.name] = replace(clusters.specs[spec.primary.ref], ref=spec.name)
        return True

    async def start(self, spec: StandbySpec) -> None:
        await self.clusters.start(replace(spec.primary, ref=spec.name))

    async def link(self, spec: StandbySpec) -> Link:
        if not {spec.name, spec.primary.ref} <= self.clusters.running:
            raise Unavailable("The project's database does not take connections: it is stopped.")
        slot = self.clusters.slots.get(spec.name, Slot.MISSING)
        return Link(slot, slot is Slot.KEPT, 0, 0.0)

    async def is_current(self, spec: StandbySpec) -> bool:
        if spec.name not in self.clusters.specs:
            raise ClusterMissing(f"The data directory of {spec.name} is gone.")
        return self.clusters.specs[spec.name].settings == spec.primary.settings

    async def follow(self, spec: StandbySpec) -> None:
        if await self.clusters.configure(replace(spec.primary, ref=spec.name)):
            await self.clusters.stop(spec.name)
        await self.start(spec)

    async def catch_up(self, spec: StandbySpec, within: float) -> None:  # noqa: ARG002
        await self.link(spec)

    async def remove(self, spec: StandbySpec) -> None:
        self.clusters.copies.discard(spec.name)
        self.clusters.slots.pop(spec.name, None)
        await self.clusters.remove(spec.name)
