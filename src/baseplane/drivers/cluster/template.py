"""The template: a cluster initialised once per engine and contents, from which every project's is copied."""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from baseplane.drivers.cluster import DriverUnavailable, Role, bootstrap, configuration
from baseplane.drivers.cluster.account import Account
from baseplane.drivers.cluster.connections import connect
from baseplane.drivers.cluster.engines import Engine
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.cluster.postmaster import Postmaster
from baseplane.drivers.cluster.sizes import SIZES

VERSION = "1"
"""Raise it when this module makes templates differently."""


@dataclass(frozen=True, slots=True)
class Template:
    """``password`` is that of supabase_admin inside, until a copy gets its own."""

    data: Path
    password: str


def key(engine: Engine) -> str:
    """Names the template: engine version and a digest of what goes into it."""
    contents = hashlib.sha256((VERSION + bootstrap.digest()).encode()).hexdigest()[:8]
    return f"{engine.version}-{contents}"


def find(layout: Layout, engine: Engine) -> Template | None:
    home = layout.templates / key(engine)
    with contextlib.suppress(FileNotFoundError):
        return Template(home / "data", (home / "password").read_text())
    return None


async def ensure(layout: Layout, engine: Engine, account: Account, progress: Callable[[str], None]) -> Template:
    """Make the template unless it is there. Processes that ask at the same time wait for the first.

    Raises DriverUnavailable, StartFailed.
    """
    if found := find(layout, engine):
        return found
    layout.templates.mkdir(parents=True, exist_ok=True)
    layout.templates.chmod(0o711)
    with _locked(layout.templates / ".lock"):
        if found := find(layout, engine):
            return found
        progress(f"preparing the template of Postgres {engine.version} …")
        home = layout.templates / f".{key(engine)}"
        shutil.rmtree(home, ignore_errors=True)
        try:
            await _make(home, layout.sockets / f"t{os.getpid()}", engine, account)
            home.rename(layout.templates / key(engine))
        finally:
            shutil.rmtree(home, ignore_errors=True)
    made = find(layout, engine)
    assert made is not None
    return made


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def _make(home: Path, sockets: Path, engine: Engine, account: Account) -> None:
    password = secrets.token_urlsafe(24)
    account.own(home, 0o711)
    account.own(home / "log")
    data = home / "data"
    initdb(engine, account, data, user=Role.ADMIN, password=password)
    account.own(sockets)
    parameters = configuration.parameters(engine.major, SIZES["nano"], sockets, "template", {})
    account.write(data / "postgresql.conf", configuration.render(parameters))
    account.write(data / "pg_hba.conf", configuration.HBA)
    postmaster = Postmaster(engine, account, data, home / "postgres.out")
    try:
        postmaster.spawn()
        await postmaster.await_ready(within=30)
        await _fill(sockets, password)
    finally:
        await postmaster.stop()
        shutil.rmtree(sockets, ignore_errors=True)
    for left in ("postmaster.opts",):
        (data / left).unlink(missing_ok=True)
    shutil.rmtree(home / "log")
    descriptor = os.open(home / "password", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(password)
    os.sync()  # once, so that copying it never copies what is not on disk


async def _fill(sockets: Path, password: str) -> None:
    async with await connect(sockets, Role.ADMIN, password) as db:
        for name, text in bootstrap.statements():
            try:
                await db.execute(text.encode())
            except psycopg.Error as error:
                raise DriverUnavailable(f"The template's {name} failed: {error}") from error
        await db.execute("vacuum (freeze, analyze)")
        await db.execute("checkpoint")


def initdb(engine: Engine, account: Account, data: Path, *, user: str, password: str) -> None:
    """Initialise a data directory with data checksums and a collation that no operating system can change.

    Raises DriverUnavailable.
    """
    passwords = data.with_name("initdb-password")
    account.write(passwords, password)
    locale = ["--locale=C", "--encoding=UTF8"]
    if engine.major >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", *locale]
    arguments = ["-D", str(data), "-U", user, f"--pwfile={passwords}", "--auth=scram-sha-256", "--data-checksums"]
    try:
        done = subprocess.run(
            [engine.program("initdb"), *arguments, "--wal-segsize=1", "--no-sync", "--no-instructions", *locale],
            env={**os.environ, **engine.environment, "LC_ALL": "C"},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **account.process,
        )
    finally:
        passwords.unlink()
    if done.returncode:
        raise DriverUnavailable(f"initdb of Postgres {engine.version} failed: {done.stderr.strip()[-800:]}")
