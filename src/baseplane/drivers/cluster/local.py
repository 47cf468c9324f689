"""Clusters as processes of this machine: a copied template, a Unix socket, a postmaster that outlives us."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from baseplane.drivers.cluster import (
    AskSecret,
    ClusterMissing,
    ClusterSpec,
    DriverUnavailable,
    Role,
    State,
    archiving,
    configuration,
    entry,
    reconfiguration,
    switching,
    told,
    usage,
)
from baseplane.drivers.cluster import template as templates
from baseplane.drivers.cluster.account import Account
from baseplane.drivers.cluster.connections import Connection, Connections, connect
from baseplane.drivers.cluster.engines import Engine, pick
from baseplane.drivers.cluster.layout import ClusterFiles, Layout
from baseplane.drivers.cluster.living import Living
from baseplane.drivers.cluster.passwords import set_password
from baseplane.drivers.cluster.possession import INITIAL_PASSWORD, mend, take_possession
from baseplane.drivers.cluster.postmaster import READY, Postmaster
from baseplane.drivers.cluster.sizes import SIZES
from baseplane.drivers.cluster.streaming import LocalStandbys
from baseplane.drivers.cluster.switching import Switch
from baseplane.drivers.cluster.upgrading import LocalUpgrades
from baseplane.drivers.disk import sync
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.errors import Unavailable

START_WITHIN = 60.0
"""Seconds to readiness; crash recovery of a busy cluster is the long case."""


class LocalClusters:
    """``elsewhere`` is the door to clusters whose files are not on this machine: an API process may run anywhere.

    ``rpo`` is how many seconds of a busy cluster may be outside its spool; None is without archiving.
    """

    def __init__(
        self,
        layout: Layout,
        engines: Path,
        account: Account,
        elsewhere: TlsDoor | None = None,
        rpo: float | None = None,
    ) -> None:
        self.layout = layout
        self.rpo = rpo
        self.engines = engines
        self.account = account
        self.elsewhere = elsewhere
        self.connections = Connections()
        self.upgrades = LocalUpgrades(layout, engines, account, self._postmaster, self._parameters)
        self.standbys = LocalStandbys(self, layout, account, self._postmaster)
        self._engine_of: dict[int, Engine] = {}
        self._living = Living()

    async def prepare(self, major: int, progress: Callable[[str], None]) -> Engine:
        """Make what the first project would otherwise wait for: directories and the template.

        Raises DriverUnavailable, EngineMissing.
        """
        engine = self._engine(major)
        for directory in (self.layout.clusters, self.layout.sockets):
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o711)
            self.account.check_reach(directory / "any")
        await templates.ensure(self.layout, engine, self.account, progress)
        return engine

    def version(self, engine: int) -> str:
        return self._engine(engine).version

    async def create(self, spec: ClusterSpec) -> None:
        files = self.layout.cluster(spec.ref)
        if files.data.exists():
            return
        template = await templates.ensure(self.layout, self._engine(spec.engine), self.account, lambda _: None)
        fresh = files.home.with_name(f".{spec.ref}")
        await asyncio.to_thread(self._copy, template, fresh)
        fresh.rename(files.home)
        await asyncio.to_thread(sync, self.layout.clusters)

    def _copy(self, template: templates.Template, fresh: Path) -> None:
        """Copy the template and bring the copy to disk: a cluster that is said to be there survives a power cut."""
        shutil.rmtree(fresh, ignore_errors=True)
        self.account.own(fresh, 0o711)
        self.account.own(fresh / "log")
        done = subprocess.run(
            ["cp", "-a", str(template.data), str(fresh / "data")],
            capture_output=True,
            text=True,
            check=False,
            **self.account.process,
        )
        if done.returncode:
            raise DriverUnavailable(f"Copying the template failed: {done.stderr.strip()}")
        initial = fresh / INITIAL_PASSWORD
        initial.touch(0o600)
        initial.write_text(template.password)
        sync(fresh)

    async def start(self, spec: ClusterSpec, *, closed: bool = False) -> None:
        files = self.layout.cluster(spec.ref)
        postmaster = self._postmaster(files)
        if postmaster.pid() is None:
            self.account.own(files.sockets, 0o700)
            self._begin_archiving(files)
            self.account.write(files.data / "postgresql.conf", configuration.render(self._parameters(postmaster, spec)))
            entry.write(self.account, files, closed=closed)
            await self.give_root_keys(spec)
            postmaster.spawn()
        await postmaster.await_ready(START_WITHIN)
        await take_possession(files, spec)
        if files.closed.exists() and not closed:
            async with self.connect(spec.ref, Role.ADMIN, spec.secret) as db:
                await entry.reopen(self.account, files, db)

    def _begin_archiving(self, files: ClusterFiles) -> None:
        if self.rpo is not None:
            generation = archiving.generation(files.data) or archiving.begin_generation(self.account, files.data)
            self.account.own(self.layout.spool(files.home.name, generation))

    def _parameters(self, postmaster: Postmaster, spec: ClusterSpec) -> dict[str, str]:
        sockets, size = self.layout.cluster(spec.ref).sockets, SIZES[spec.size]
        chosen = configuration.parameters(postmaster.engine.major, size, sockets, spec.ref, spec.settings)
        generation = archiving.generation(postmaster.data)
        if self.rpo is None or generation is None:
            return {**chosen, **archiving.OFF}
        return {**chosen, **archiving.parameters(chosen, self.layout.spool(spec.ref, generation), self.rpo)}

    async def rehearse(self, spec: ClusterSpec) -> int:
        postmaster = self._postmaster(self.layout.cluster(spec.ref))
        return await asyncio.to_thread(reconfiguration.rehearse, postmaster, self._parameters(postmaster, spec))

    async def configure(self, spec: ClusterSpec) -> frozenset[str]:
        files = self.layout.cluster(spec.ref)
        postmaster = self._postmaster(files)
        self.account.write(files.data / "postgresql.conf", configuration.render(self._parameters(postmaster, spec)))
        if postmaster.pid() is None:
            return frozenset()
        async with self.connect(spec.ref, Role.ADMIN, spec.secret) as db:
            return await reconfiguration.reload(db)

    async def stop(self, ref: str) -> None:
        files = self.layout.cluster(ref)
        self.connections.forget(files.sockets)
        with contextlib.suppress(ClusterMissing):
            await self._postmaster(files).stop()

    async def remove(self, ref: str) -> None:
        files = self.layout.cluster(ref)
        await self.stop(ref)
        doomed = files.home.with_name(f".{ref}.removed")
        with contextlib.suppress(FileNotFoundError):
            files.home.rename(doomed)
        for directory in (doomed, files.home.with_name(f".{ref}"), files.sockets, self.layout.spool(ref, "")):
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)

    async def switch_in(self, ref: str, label: str) -> None:
        if not (switch := self._switch(ref, label)).is_in:
            await self.stop(ref)
            await self._stop_aside(ref, label)
            switch.switch_in()

    async def switch_back(self, ref: str, label: str) -> None:
        if (switch := self._switch(ref, label)).is_in:
            await self.stop(ref)
            switch.switch_back()

    async def discard(self, ref: str, label: str) -> None:
        await self._stop_aside(ref, label)
        await asyncio.to_thread(self._switch(ref, label).discard)
        await asyncio.to_thread(shutil.rmtree, self.layout.aside(ref, label).sockets, ignore_errors=True)

    def _switch(self, ref: str, label: str) -> Switch:
        return Switch(self.layout.cluster(ref).home, label)

    async def _stop_aside(self, ref: str, label: str) -> None:
        with contextlib.suppress(ClusterMissing):
            await self._postmaster(self.layout.aside(ref, label)).stop()

    async def observe(self, ref: str) -> State:
        try:
            status = self._living.observe(ref, self._postmaster(self.layout.cluster(ref)))
        except ClusterMissing:
            return State.MISSING
        if status is None:
            return State.STOPPED
        return State.RUNNING if status in READY else State.STARTING

    async def observe_all(self) -> dict[str, State]:
        """A server that was found ready before costs a look at its file's time."""
        with contextlib.suppress(FileNotFoundError):
            refs = [entry.name for entry in self.layout.clusters.iterdir() if not entry.name.startswith(".")]
            ready = self._living.ready()
            return {ref: State.RUNNING if ref in ready else await self.observe(ref) for ref in refs}
        return {}

    async def measure(self, ref: str) -> int:
        """What waits for the archive counts: a project whose archive takes nothing comes to its limit, not the disk's."""
        try:
            used = await asyncio.to_thread(usage.measure, self.layout.cluster(ref).data)
        except FileNotFoundError as error:
            raise _gone(ref) from error
        with contextlib.suppress(FileNotFoundError):
            used += await asyncio.to_thread(usage.measure, self.layout.spool(ref, ""))
        return used

    async def set_password(self, spec: ClusterSpec) -> None:
        async with self.connect(spec.ref, Role.ADMIN, spec.secret) as db:
            await set_password(db, "postgres", spec.password)

    async def give_root_keys(self, spec: ClusterSpec) -> None:
        files = self.layout.cluster(spec.ref)
        if not files.home.exists():
            raise ClusterMissing(f"The cluster of project {spec.ref} is gone.")
        for each in (files, *self.standbys.of(spec.ref)):  # what is encrypted anew is replayed at once
            self.account.write(each.root_keys, "".join(f"{key}\n" for key in spec.root_keys))

    def connect(self, ref: str, role: Role, secret: str | AskSecret) -> AbstractAsyncContextManager[Connection]:
        return self._connect(ref, role, secret)

    @contextlib.asynccontextmanager
    async def _connect(self, ref: str, role: Role, secret: str | AskSecret) -> AsyncIterator[Connection]:
        files = self.layout.cluster(ref)
        connection = await self.connections.take(files.sockets, role, lambda: self._open(files, ref, role, secret))
        try:
            yield connection
        finally:
            self.connections.give_back(files.sockets, role, connection)

    async def _open(self, files: ClusterFiles, ref: str, role: Role, asked: str | AskSecret) -> Connection:
        """Through the socket; through the public door where the cluster is another machine's."""
        secret = await told(asked)
        if not files.data.exists():
            if self.elsewhere is None:
                raise ClusterMissing(f"There is no cluster of project {ref} on this machine.")
            return await self.elsewhere.connect(ref, role, secret)
        try:
            return await connect(files.sockets, role, secret)
        except Unavailable:
            if role is Role.ADMIN:
                raise
            await mend(files.sockets, secret)
            return await connect(files.sockets, role, secret)

    async def stop_all(self) -> None:
        """Stop every cluster of this data directory, all at once."""
        await asyncio.gather(
            *(self.stop(ref) for ref, state in (await self.observe_all()).items() if state != "stopped")
        )

    def close(self) -> None:
        self.connections.close()
        self._living.close()

    def server(self, files: ClusterFiles, major: int | None = None) -> Postmaster:
        """The server of data that lies elsewhere, of this major if there is none yet. Raises ClusterMissing, EngineMissing."""
        if major is None:
            return self._postmaster(files)
        return Postmaster(self._engine(major), self.account, files.data, files.output)

    def _postmaster(self, files: ClusterFiles) -> Postmaster:
        """Raises ClusterMissing, EngineMissing."""
        switching.settle(files.home)
        try:
            major = int((files.data / "PG_VERSION").read_text())
        except FileNotFoundError as error:
            raise _gone(files.home.name) from error
        return Postmaster(self._engine(major), self.account, files.data, files.output)

    def _engine(self, major: int) -> Engine:
        if major not in self._engine_of:
            self._engine_of[major] = pick(major, self.engines)
        return self._engine_of[major]


def _gone(ref: str) -> ClusterMissing:
    return ClusterMissing(f"The data directory of project {ref} is gone.")
