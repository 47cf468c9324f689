"""From one major of Postgres to another: checked while the cluster serves, carried over while it is stopped.

The new cluster is made aside and takes copies of the files, so that the old data can be started again at any moment.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psycopg
from psycopg import sql

from baseplane.drivers.cluster import (
    ClusterMissing,
    ClusterSpec,
    Role,
    UpgradeRefused,
    bootstrap,
    configuration,
    pg_upgrade,
)
from baseplane.drivers.cluster.account import Account
from baseplane.drivers.cluster.connections import Connection, connect
from baseplane.drivers.cluster.engines import Engine, EngineMissing, found, installed, pick
from baseplane.drivers.cluster.layout import ClusterFiles, Layout
from baseplane.drivers.cluster.pg_upgrade import CARRIED, FRESH, Move, Parameters
from baseplane.drivers.cluster.postmaster import Postmaster
from baseplane.drivers.disk import sync

CARRIES_STATISTICS = 18
"""The first major whose pg_upgrade brings the planner's statistics along."""
STAGES = (1, 10)
"""Statistics targets of a first, rough analyze, for plans that are bearable soon. As vacuumdb --analyze-in-stages."""
START_WITHIN = 60.0  # seconds


class LocalUpgrades:
    """``postmaster`` gives the server of a cluster's files, as its data is now; ``parameters`` what it is started with."""

    def __init__(
        self,
        layout: Layout,
        engines: Path,
        account: Account,
        postmaster: Callable[[ClusterFiles], Postmaster],
        parameters: Parameters,
    ) -> None:
        self._parameters = parameters
        self._layout = layout
        self._engines = engines
        self._account = account
        self._postmaster = postmaster

    def offered(self, engine: int) -> dict[int, str]:
        return {there.major: there.version for there in self._here() if there.major > engine}

    def extensions(self, engine: int) -> frozenset[str]:
        return frozenset(file.stem for file in (self._engine(engine).share / "extension").glob("*.control"))

    def _here(self) -> list[Engine]:
        """By version; those that we installed last, which is how one of a major is picked."""
        return [*found(), *installed(self._engines)]

    def _engine(self, major: int) -> Engine:
        """Raises UpgradeRefused."""
        try:
            return pick(major, self._engines)
        except EngineMissing as error:
            raise UpgradeRefused(error.message) from error

    def _move(self, spec: ClusterSpec, engine: int, label: str) -> Move:
        """Raises ClusterMissing, UpgradeRefused."""
        old = self._postmaster(self._layout.cluster(spec.ref))
        aside = self._layout.aside(spec.ref, label)
        if engine <= old.engine.major:
            raise UpgradeRefused(f"There is no way from Postgres {old.engine.major} to {engine}.")
        new = Postmaster(self._engine(engine), self._account, aside.data, aside.output)
        return Move(spec, old, new, aside, self._parameters)

    async def prepare(self, spec: ClusterSpec, engine: int, label: str) -> None:
        move = self._move(spec, engine, label)
        await _end_all(move.new, move.aside)
        await asyncio.to_thread(pg_upgrade.lay_out, move)
        await pg_upgrade.call(move, "--check")

    async def carry_over(self, spec: ClusterSpec, engine: int, label: str) -> None:
        move = self._move(spec, engine, label)
        if (move.aside.home / CARRIED).exists():
            return
        await self.break_off(spec.ref, label)
        if not (move.aside.home / FRESH).exists():
            await asyncio.to_thread(pg_upgrade.lay_out, move)
        (move.aside.home / FRESH).unlink()
        await _ready_for_dump(move)
        # A copy that shares its blocks where the file system can, and is made inside the kernel elsewhere.
        await pg_upgrade.call(move, "--copy-file-range")
        await asyncio.to_thread(sync, move.aside.home)
        (move.aside.home / CARRIED).touch()

    async def finish(self, spec: ClusterSpec, engine: int, label: str) -> list[str]:
        move = self._move(spec, engine, label)
        parameters = move.parameters(move.new, spec.settings)
        self._account.write(move.new.data / "postgresql.conf", configuration.render(parameters))
        self._account.write(move.new.data / "pg_hba.conf", configuration.HBA)
        move.new.spawn()
        try:
            await move.new.await_ready(START_WITHIN)
            remarks = await bring_up_to_date(move.aside.sockets, spec.secret)
            async with await connect(move.aside.sockets, Role.OWNER, spec.secret) as db:
                await db.execute("select")
            return remarks
        finally:
            await move.new.stop()

    async def break_off(self, ref: str, label: str) -> None:
        aside = self._layout.aside(ref, label)
        with contextlib.suppress(ClusterMissing):
            await _end_all(self._postmaster(aside), aside)
        if aside.home.exists() and not (aside.home / FRESH).exists():
            with contextlib.suppress(ClusterMissing):
                await self._postmaster(self._layout.cluster(ref)).stop()

    async def mend(self, spec: ClusterSpec) -> None:
        async with await connect(self._layout.cluster(spec.ref).sockets, Role.ADMIN, spec.secret) as db:
            await db.execute(bootstrap.mend().encode())

    async def gather_statistics(self, spec: ClusterSpec) -> None:
        files = self._layout.cluster(spec.ref)
        rough = () if self._postmaster(files).engine.major >= CARRIES_STATISTICS else STAGES
        for target in (*rough, None):
            async for db in _each_database(files.sockets, spec.secret):
                if target:
                    await db.execute(f"set default_statistics_target = {target}".encode())
                await db.execute("analyze")


async def _ready_for_dump(move: Move) -> None:
    """pg_dumpall writes an empty list as no value at all, which nothing can read (measured with 17.11 and 18.6).

    The old cluster is started where nobody else finds it, and changed from a database that has no replication slots, which
    would have to read of it. ``mend`` brings the setting back.
    """
    pg_upgrade.configure(move, move.old)
    move.old.spawn()
    try:
        await move.old.await_ready(START_WITHIN)
        async with await connect(move.aside.sockets, Role.ADMIN, move.spec.secret, "template1") as db:
            await db.execute("alter role supabase_admin reset local_preload_libraries")
    finally:
        await move.old.stop()


async def _end_all(new: Postmaster, aside: ClusterFiles) -> None:
    """pg_upgrade first, since it would start its servers again."""
    await asyncio.to_thread(pg_upgrade.end_programs, aside.home)
    await new.stop()


async def bring_up_to_date(sockets: Path, secret: str) -> list[str]:
    """Extensions, and what of the platform's own objects depends on the major. Gives what stays old, as sentences."""
    async with await connect(sockets, Role.ADMIN, secret) as db, db.transaction():
        await db.execute(bootstrap.renew().encode())
    return [sentence async for db in _each_database(sockets, secret) for sentence in await _update_extensions(db)]


async def _each_database(sockets: Path, secret: str) -> AsyncIterator[Connection]:
    async with await connect(sockets, Role.ADMIN, secret) as db:
        cursor = await db.execute("select datname from pg_database where datallowconn and not datistemplate order by 1")
        names = [name for (name,) in await cursor.fetchall()]
    for name in names:
        async with await connect(sockets, Role.ADMIN, secret, name) as db:
            yield db


async def _update_extensions(db: Connection) -> list[str]:
    """One that has no way to the new version goes on with the old one: its objects have come along and work."""
    cursor = await db.execute(
        "select e.extname, e.extversion, a.default_version from pg_extension e"
        " join pg_available_extensions a on a.name = e.extname where e.extversion <> a.default_version order by 1"
    )
    stale = []
    for name, version, latest in await cursor.fetchall():
        try:
            await db.execute(sql.SQL("alter extension {} update").format(sql.Identifier(name)))
        except psycopg.Error as error:
            said = error.diag.message_primary
            stale.append(f"Extension {name} in database {db.info.dbname} stays at {version}, not {latest}: {said}")
    return stale
