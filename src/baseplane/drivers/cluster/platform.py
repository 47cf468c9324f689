"""The platform's own database, when the operator brings none: a cluster in the data directory, on a Unix socket."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from baseplane.drivers.cluster import ClusterSpec, Role, archiving
from baseplane.drivers.cluster.account import Account
from baseplane.drivers.cluster.configuration import HBA, render
from baseplane.drivers.cluster.engines import Engine, pick
from baseplane.drivers.cluster.layout import PLATFORM, Layout
from baseplane.drivers.cluster.passwords import set_password
from baseplane.drivers.cluster.postmaster import Postmaster
from baseplane.drivers.cluster.template import initdb

USER = "baseplane"
PARAMETERS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "cluster_name": "baseplane platform",
    "max_connections": "200",
    "max_wal_senders": "10",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "checkpoint_timeout": "15min",  # after each, whole pages go into the log, which is archived
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "jit": "off",
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "log_directory": "../log",
    "log_filename": "postgres-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}


@dataclass(frozen=True, slots=True)
class PlatformCluster:
    """``engine`` serves a new one; an existing one keeps the major that it was made with.

    ``rpo`` is how many seconds of work may be outside its spool; None is without archiving.
    """

    layout: Layout
    engines: Path
    account: Account
    engine: Engine
    rpo: float | None = None

    @property
    def home(self) -> Path:
        return self.layout.platform

    @property
    def sockets(self) -> Path:
        return self.layout.sockets / "platform"

    async def ensure(self) -> str:
        """Make it if it is missing, start it if it is down; gives its URL. Raises StartFailed, DriverUnavailable."""
        password = self._password()
        if not (self.home / "data" / "PG_VERSION").exists():
            self._make(password)
        self.account.own(self.sockets)
        postmaster = self.postmaster()
        self.account.write(postmaster.data / "postgresql.conf", render(self._parameters(postmaster)))
        self.account.write(postmaster.data / "pg_hba.conf", HBA)
        postmaster.spawn()
        await postmaster.await_ready(within=120)
        url = f"postgresql://{USER}:{password}@/baseplane?host={quote(str(self.sockets), safe='')}"
        async with await psycopg.AsyncConnection.connect(url, dbname="postgres", autocommit=True) as db:
            known = await db.execute("select from pg_database where datname = 'baseplane'")
            if not known.rowcount:
                await db.execute("create database baseplane")
            await _let_archive_in(db, password)
        _write_secret(self.home / "url", url)
        return url

    def _parameters(self, postmaster: Postmaster) -> dict[str, str]:
        chosen = {**PARAMETERS, "unix_socket_directories": str(self.sockets)}
        if self.rpo is None:
            return {**chosen, **archiving.OFF}
        generation = archiving.generation(postmaster.data)
        if generation is None:
            if postmaster.pid():
                return chosen  # it runs without an archive until its next start
            generation = archiving.begin_generation(self.account, postmaster.data)
        spool = self.account.own(self.layout.spool(PLATFORM, generation))
        return {**chosen, **archiving.parameters(chosen, spool, self.rpo)}

    async def stop(self) -> None:
        if (self.home / "data" / "PG_VERSION").exists():
            await self.postmaster().stop()

    def postmaster(self) -> Postmaster:
        major = int((self.home / "data" / "PG_VERSION").read_text())
        engine = self.engine if major == self.engine.major else pick(major, self.engines)
        return Postmaster(engine, self.account, self.home / "data", self.home / "postgres.out")

    def _make(self, password: str) -> None:
        """Initialise aside and rename, so that a half-made data directory is never taken for a whole one."""
        fresh = self.account.own(self.home / "fresh")
        for left in sorted(fresh.rglob("*"), reverse=True):
            left.rmdir() if left.is_dir() else left.unlink()
        initdb(self.engine, self.account, fresh / "data", user=USER, password=password)
        self.account.own(self.home / "log")
        os.sync()
        (fresh / "data").rename(self.home / "data")
        fresh.rmdir()

    def _password(self) -> str:
        """Made once; kept beside the data, for us alone."""
        self.account.own(self.home, 0o711)
        file = self.layout.platform_password
        if not file.exists():
            _write_secret(file, secrets.token_urlsafe(32))
        return file.read_text()


def archived_as(layout: Layout, engine: int) -> ClusterSpec:
    """The platform's cluster as the archive takes and brings it back: as one of a project's. Raises FileNotFoundError."""
    password = layout.platform_password.read_text()
    return ClusterSpec(PLATFORM, engine, "nano", secret=password, password=password, root_keys=())


async def _let_archive_in(db: psycopg.AsyncConnection[Any], password: str) -> None:
    """The archive comes as the same role to all clusters."""
    known = await db.execute("select from pg_roles where rolname = %s", [Role.ADMIN])
    if not known.rowcount:
        await db.execute(sql.SQL("create role {} superuser login replication").format(sql.Identifier(Role.ADMIN)))
        await set_password(db, Role.ADMIN, password)


def _write_secret(file: Path, text: str) -> None:
    """Write a file that only we may read, in one step."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
