"""Clusters that are only remembered, for tests of what stands on a driver. Their databases are all one real one."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import psycopg

from baseplane.drivers.cluster import ClusterMissing, ClusterSpec, Role, State
from baseplane.drivers.cluster.connections import Connection
from baseplane.errors import Unavailable


class MemoryClusters:
    """``url`` names the database that every cluster's connections lead to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.specs: dict[str, ClusterSpec] = {}
        self.running: set[str] = set()

    def version(self, engine: int) -> str:
        return f"{engine}.0"

    async def create(self, spec: ClusterSpec) -> None:
        self.specs.setdefault(spec.ref, spec)

    async def start(self, spec: ClusterSpec) -> None:
        if spec.ref not in self.specs:
            raise ClusterMissing(f"The data directory of project {spec.ref} is gone.")
        self.running.add(spec.ref)

    async def stop(self, ref: str) -> None:
        self.running.discard(ref)

    async def remove(self, ref: str) -> None:
        await self.stop(ref)
        self.specs.pop(ref, None)

    async def observe(self, ref: str) -> State:
        if ref not in self.specs:
            return State.MISSING
        return State.RUNNING if ref in self.running else State.STOPPED

    async def observe_all(self) -> dict[str, State]:
        return {ref: await self.observe(ref) for ref in self.specs}

    async def set_password(self, spec: ClusterSpec) -> None:
        async with self.connect(spec.ref, Role.ADMIN, spec.secret):
            self.specs[spec.ref] = replace(self.specs[spec.ref], password=spec.password)

    async def give_root_keys(self, spec: ClusterSpec) -> None:
        if spec.ref not in self.specs:
            raise ClusterMissing(spec.ref)
        self.specs[spec.ref] = replace(self.specs[spec.ref], root_keys=spec.root_keys)

    def connect(self, ref: str, role: Role, secret: str) -> AbstractAsyncContextManager[Connection]:  # noqa: ARG002
        return self._connect(ref, secret)

    @contextlib.asynccontextmanager
    async def _connect(self, ref: str, secret: str) -> AsyncIterator[Connection]:
        if ref not in self.specs:
            raise ClusterMissing(f"There is no cluster of project {ref} on this machine.")
        if ref not in self.running or self.specs[ref].secret != secret:
            raise Unavailable("The project's database does not take connections: it is stopped.")
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            yield connection
