"""Real clusters with the bootstrap's SQL in them, for the tests beside this file."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from baseplane.drivers.cluster import bootstrap, engines
from baseplane.settings import Settings

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "shared_buffers": "16MB",
    "shared_preload_libraries": "pg_stat_statements",
    "wal_level": "logical",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    sockets: Path
    major: int

    def connect(self, user: str, **settings: Any) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(host=str(self.sockets), user=user, dbname="postgres", autocommit=True, **settings)

    def rows(self, user: str, *statements: str) -> list[tuple[Any, ...]]:
        """Run all in one session; the last one's rows, or none."""
        with self.connect(user) as session:
            for statement in statements:
                cursor = session.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def value(self, user: str, *statements: str) -> Any:
        return self.rows(user, *statements)[0][0]


def engine_homes() -> list[Path]:
    return [engine.home for engine in engines.installed(Settings().engines_dir)]


def major_of(home: Path) -> int:
    said = subprocess.run(
        [home / "bin/postgres", "--version"], check=True, capture_output=True, text=True, env=_env(home)
    )
    return int(said.stdout.split()[2].split(".")[0])


@contextmanager
def trusting(home: Path) -> Iterator[Path]:
    """A copy of the engine with its control files marked: the installed one is not for tests to change."""
    directory = Path(tempfile.mkdtemp(prefix="bpe"))
    directory.chmod(0o755)
    try:
        copy = shutil.copytree(home, directory / "engine", symlinks=True)
        share = subprocess.run(
            [copy / "bin/pg_config", "--sharedir"], check=True, capture_output=True, text=True, env=_env(copy)
        )
        bootstrap.trust(Path(share.stdout.strip()))
        yield copy
    finally:
        shutil.rmtree(directory)


@contextmanager
def running(home: Path) -> Iterator[Cluster]:
    directory = Path(tempfile.mkdtemp(prefix="bpt"))
    data = directory / "data"
    account: dict[str, Any] = {}
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    env = _env(home)
    initdb = [
        home / "bin/initdb",
        "-D",
        data,
        "-U",
        "supabase_admin",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
        "--no-locale",
    ]
    subprocess.run(initdb, check=True, capture_output=True, env=env, cwd=directory, **account)
    settings = _SETTINGS | {"unix_socket_directories": str(directory)}
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    control = [home / "bin/pg_ctl", "-D", data, "-w", "-s"]
    run = partial(subprocess.run, check=True, env=env, cwd=directory, **account)
    run([*control, "-l", directory / "log", "-o", options, "start"])
    try:
        cluster = Cluster(directory, major_of(home))
        _bootstrap(cluster)
        yield cluster
    finally:
        run([*control, "-m", "immediate", "stop"])
        shutil.rmtree(directory)


def _bootstrap(cluster: Cluster) -> None:
    with cluster.connect("supabase_admin") as admin:
        for _, text in bootstrap.statements():
            admin.execute(text.encode())


def _env(home: Path) -> dict[str, str]:
    return {"LD_LIBRARY_PATH": str(home / "lib"), "PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
