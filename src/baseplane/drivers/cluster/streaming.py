"""Read replicas as processes of this machine: a base backup that follows its primary through the primary's own socket."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from baseplane.drivers.cluster import (
    ClusterDriver,
    DriverUnavailable,
    Link,
    Role,
    StandbyRefused,
    StandbySpec,
    State,
    configuration,
    reconfiguration,
    slots,
    usage,
)
from baseplane.drivers.cluster.account import Account
from baseplane.drivers.cluster.base_backup import BaseBackup
from baseplane.drivers.cluster.connections import Connection
from baseplane.drivers.cluster.layout import ClusterFiles, Layout
from baseplane.drivers.cluster.postmaster import Postmaster
from baseplane.drivers.cluster.sizes import SIZES
from baseplane.drivers.disk import sync
from baseplane.errors import Unavailable

START_WITHIN = 60.0
"""Seconds to readiness; replaying what it had received when it was killed is the long case."""
RETRY = "500ms"
"""How soon it looks for its primary again."""
PATIENCE = 0.5
"""Seconds that who has a copy made waits for it, until it may do something else."""
ROOM = 1.2
"""How much free space a copy needs, in sizes of its primary."""
CONTROLLED = {
    "max_connections": "max_connections",
    "max_worker_processes": "max_worker_processes",
    "max_wal_senders": "max_wal_senders",
    "max_prepared_transactions": "max_prepared_xacts",
    "max_locks_per_transaction": "max_locks_per_xact",
}
"""Parameters that may not be lower than the primary's, by their names in pg_controldata. A standby that has yet to replay
that its primary lowered one does not start with less ("Administrator's Overview" in the manual's chapter Hot Standby).
"""
ON_LINUX = Path("/proc/self/cwd").exists()
POLL = 0.01  # seconds


class LocalStandbys:
    """``clusters`` is the driver of which this is a part; ``find`` gives a cluster's postmaster, or raises ClusterMissing."""

    def __init__(
        self, clusters: ClusterDriver, layout: Layout, account: Account, find: Callable[[ClusterFiles], Postmaster]
    ) -> None:
        self._clusters = clusters
        self._layout = layout
        self._account = account
        self._find = find

    async def fill(self, spec: StandbySpec) -> bool:
        files = self._layout.cluster(spec.name)
        if files.data.exists():
            return True
        backup = self._backup(spec)
        if not backup.was_begun:
            await self._begin(spec, backup)
        if not await backup.ends(PATIENCE):
            return False
        if not backup.is_whole:
            complaint = backup.complaint()
            await asyncio.to_thread(_discard, backup)
            raise DriverUnavailable(f"Copying the primary broke off: {complaint}")
        await asyncio.to_thread(_adopt, backup, files)
        return True

    async def _begin(self, spec: StandbySpec, backup: BaseBackup) -> None:
        primary = self._layout.cluster(spec.primary.ref)
        engine = self._find(primary).engine
        await asyncio.to_thread(self._check_room, primary)
        async with self._inside_primary(spec) as db:
            await slots.reserve(db, spec.slot)
        self._account.own(backup.directory, 0o711)
        self._account.own(backup.directory / "log")
        self._account.write(backup.passwords, _password_line(spec))
        backup.begin(engine, primary.sockets, Role.ADMIN, spec.slot)

    def _backup(self, spec: StandbySpec) -> BaseBackup:
        return BaseBackup(self._account, self._layout.clusters / f".{spec.name}")

    def _check_room(self, primary: ClusterFiles) -> None:
        needed = usage.measure(primary.data) * ROOM
        free = shutil.disk_usage(self._layout.clusters).free
        if free < needed:
            raise StandbyRefused(f"The copy needs {needed / 2**30:.1f} GB of disk; {free / 2**30:.1f} GB are free.")

    async def start(self, spec: StandbySpec) -> None:
        files = self._layout.cluster(spec.name)
        postmaster = self._find(files)
        if postmaster.pid() is None:
            self._account.own(files.sockets, 0o700)
            await self._write(files, spec)
            self._account.write(files.data / "pg_hba.conf", configuration.HBA)
            self._account.write(files.data / "standby.signal", "")
            self._account.write(files.root_keys, "".join(f"{key}\n" for key in spec.primary.root_keys))
            postmaster.spawn()
        await postmaster.await_ready(START_WITHIN)

    async def _write(self, files: ClusterFiles, spec: StandbySpec) -> None:
        """The configuration, and what it points at."""
        self._account.write(files.home / "pgpass", _password_line(spec))
        way, target = files.home / "primary", self._layout.cluster(spec.primary.ref).sockets
        if not way.is_symlink() or way.readlink() != target:
            way.unlink(missing_ok=True)
            way.symlink_to(target)
        self._account.write(files.data / "postgresql.conf", await self._configuration(files, spec))

    async def _configuration(self, files: ClusterFiles, spec: StandbySpec) -> str:
        primary, postmaster = spec.primary, self._find(files)
        parameters = configuration.parameters(
            postmaster.engine.major, SIZES[primary.size], files.sockets, spec.name, primary.settings
        )
        for name, least in (await asyncio.to_thread(_controlled, postmaster)).items():
            parameters[name] = str(max(least, int(parameters.get(name, 0))))
        conninfo = make_conninfo(
            # Every role that reads statistics sees this text. As it is, it does not tell where clusters have sockets.
            host="/proc/self/cwd/../primary" if ON_LINUX else str(self._layout.cluster(primary.ref).sockets),
            user=Role.ADMIN,
            passfile="/proc/self/cwd/../pgpass" if ON_LINUX else str(files.home / "pgpass"),
            application_name=spec.name,
        )
        following = {
            "primary_conninfo": conninfo,
            "primary_slot_name": spec.slot,
            "wal_retrieve_retry_interval": RETRY,
        }
        return configuration.render({**parameters, **following})

    async def link(self, spec: StandbySpec) -> Link:
        async with self._inside_primary(spec) as db:
            slot, streams, written = await slots.look(db, spec.slot)
        async with self._inside(spec) as db:
            cursor = await db.execute(
                "select greatest(pg_wal_lsn_diff(%(written)s::pg_lsn, pg_last_wal_replay_lsn()), 0)::bigint, case"
                " when pg_last_wal_replay_lsn() >= %(written)s::pg_lsn then 0"
                " else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float end",
                {"written": written},
            )
            behind, seconds = await cursor.fetchone() or (None, None)
        return Link(slot, streams, behind or 0, seconds)

    async def is_current(self, spec: StandbySpec) -> bool:
        files = self._layout.cluster(spec.name)
        wanted = await self._configuration(files, spec)
        return (files.data / "postgresql.conf").read_text() == wanted

    async def follow(self, spec: StandbySpec) -> None:
        files = self._layout.cluster(spec.name)
        if self._find(files).pid() is not None:
            await self._write(files, spec)
            async with self._inside(spec) as db:
                waiting = await reconfiguration.reload(db)
            if waiting:
                await self._clusters.stop(spec.name)
        await self.start(spec)

    async def catch_up(self, spec: StandbySpec, within: float) -> None:
        async with self._inside_primary(spec) as db:
            _, _, written = await slots.look(db, spec.slot)
        try:
            async with asyncio.timeout(within), self._inside(spec) as db:
                while True:
                    cursor = await db.execute("select pg_last_wal_replay_lsn() >= %s::pg_lsn", [written])
                    if await cursor.fetchone() == (True,):
                        return
                    await asyncio.sleep(POLL)
        except TimeoutError as error:
            raise Unavailable(f"The read replica is more than {within:g} seconds behind its primary.") from error

    async def remove(self, spec: StandbySpec) -> None:
        await asyncio.to_thread(_discard, self._backup(spec))
        await self._clusters.stop(spec.name)
        await self._free_slot(spec)
        await self._clusters.remove(spec.name)

    async def _free_slot(self, spec: StandbySpec) -> None:
        match await self._clusters.observe(spec.primary.ref):
            case State.RUNNING:
                async with self._inside_primary(spec) as db:
                    await slots.drop(db, spec.slot)
            case State.STOPPED:
                slots.drop_at_rest(self._layout.cluster(spec.primary.ref).data, spec.slot)
            case State.STARTING:
                raise Unavailable("The primary is starting.")

    def of(self, ref: str) -> list[ClusterFiles]:
        """The files of the standbys of a primary."""
        return [self._layout.cluster(home.name) for home in self._layout.clusters.glob(f"{ref}-*")]

    def _inside(self, spec: StandbySpec) -> AbstractAsyncContextManager[Connection]:
        return self._clusters.connect(spec.name, Role.ADMIN, spec.primary.secret)

    def _inside_primary(self, spec: StandbySpec) -> AbstractAsyncContextManager[Connection]:
        return self._clusters.connect(spec.primary.ref, Role.ADMIN, spec.primary.secret)


def _discard(backup: BaseBackup) -> None:
    backup.end()
    shutil.rmtree(backup.directory, ignore_errors=True)


def _adopt(backup: BaseBackup, files: ClusterFiles) -> None:
    """A copy that is said to be there survives a power cut, as a new cluster does."""
    backup.forget()
    sync(backup.directory)
    backup.directory.rename(files.home)
    sync(files.home.parent)


def _password_line(spec: StandbySpec) -> str:
    secret = re.sub(r"([:\\])", r"\\\1", spec.primary.secret)
    return f"*:*:*:{Role.ADMIN}:{secret}\n"


def _controlled(postmaster: Postmaster) -> dict[str, int]:
    """What the control file says that the primary had when the last record was replayed. Raises DriverUnavailable."""
    done = subprocess.run(
        [postmaster.engine.program("pg_controldata"), "-D", str(postmaster.data)],
        env=postmaster.environment,
        capture_output=True,
        text=True,
        check=False,
        **postmaster.account.process,
    )
    said = dict(re.findall(r"^(\w+) setting: +(\d+)$", done.stdout, re.MULTILINE))
    if not said:
        raise DriverUnavailable(f"The control file of {postmaster.data.parent.name} could not be read.")
    return {name: int(said[label]) for name, label in CONTROLLED.items()}
