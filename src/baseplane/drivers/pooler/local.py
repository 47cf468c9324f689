"""PgBouncer as processes of this machine: started for the first client, found again after our death."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
from functools import cached_property
from pathlib import Path

import psutil
import psycopg

from baseplane.drivers.cluster.account import Account
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.pooler import PoolerFailed, PoolSettings, PoolSpec, configuration
from baseplane.drivers.pooler.configuration import CONSOLE, PORT

POLL = 0.004  # seconds; PgBouncer is up in about 10 ms
START_WITHIN = 5.0
STOP_WITHIN = 5.0

_ours: list[subprocess.Popen[bytes]] = []


class LocalPoolers:
    def __init__(self, layout: Layout, account: Account) -> None:
        self.layout = layout
        self.account = account

    @cached_property
    def _program(self) -> str | None:
        return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")

    @cached_property
    def _version(self) -> str | None:
        if self._program is None:
            return None
        said = subprocess.run([self._program, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.search(r"PgBouncer (\d+\.\d+(?:\.\d+)?)", said)
        return found[1] if found else None

    def version(self) -> str | None:
        return self._version

    async def find(self, ref: str) -> Path | None:
        return self._socket(ref) if self._pid(ref) and self._answers(ref) else None

    async def start(self, spec: PoolSpec) -> Path:
        directory = self._directory(spec.ref)
        if (running := await self.find(spec.ref)) is not None:
            return running
        if self._program is None:
            raise PoolerFailed("PgBouncer is not installed; `baseplane doctor` says how to get it.")
        self.account.own(directory, 0o700)
        version = tuple(map(int, (self._version or "0").split(".")))
        self.account.write(directory / "users.txt", configuration.users(spec))
        self.account.write(directory / "pgbouncer.ini", configuration.ini(spec, directory, version))
        self._forget_dead(spec.ref)
        self._spawn(self._program, directory)
        await self._await_socket(spec.ref)
        return self._socket(spec.ref)

    def _spawn(self, program: str, directory: Path) -> None:
        arguments = [program, "-q", str(directory / "pgbouncer.ini")]
        with (directory / "pgbouncer.out").open("wb") as output:
            _ours.append(subprocess.Popen(arguments, stdout=output, stderr=output, cwd="/", **self.account.process))

    async def apply(self, ref: str, settings: PoolSettings) -> None:
        if (pid := self._pid(ref)) is None:
            return
        file = self._directory(ref) / "pgbouncer.ini"
        wanted = configuration.changeable(settings)
        text = file.read_text()
        for name, value in wanted.items():
            text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        self.account.write(file, text)
        os.kill(pid, signal.SIGHUP)
        try:
            async with asyncio.timeout(START_WITHIN):
                while not wanted.items() <= (await self._config(ref)).items():
                    await asyncio.sleep(POLL)
        except (TimeoutError, psycopg.Error) as error:
            raise PoolerFailed(f"The pooler did not take its settings: {self._last_words(ref)}") from error

    async def stop(self, ref: str) -> None:
        for how in (signal.SIGTERM, signal.SIGKILL):
            if (pid := self._pid(ref)) is None:
                break
            os.kill(pid, how)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_WITHIN):
                    while self._pid(ref) is not None:
                        await asyncio.sleep(POLL)
        await asyncio.to_thread(shutil.rmtree, self._directory(ref), ignore_errors=True)

    async def stop_all(self) -> None:
        """Stop every pooler of this data directory."""
        await asyncio.gather(*(self.stop(ref) for ref in self._running()))

    async def idle(self) -> set[str]:
        running = self._running()
        return running - await asyncio.to_thread(self._busy, running) if running else running

    def _running(self) -> set[str]:
        with contextlib.suppress(FileNotFoundError):
            return {entry.name for entry in self.layout.clusters.iterdir() if self._pid(entry.name)}
        return set()

    def _busy(self, refs: set[str]) -> set[str]:
        """Those with more than the listening socket: one is there for each client."""
        sockets = [str(connection.laddr) for connection in psutil.net_connections("unix")]
        return {ref for ref in refs if sockets.count(str(self._socket(ref))) > 1}

    async def _config(self, ref: str) -> dict[str, str]:
        """What the pooler says it runs with. Raises psycopg.Error."""
        users = (self._directory(ref) / "users.txt").read_text()
        password = re.search(rf'^"{CONSOLE}" "(.*)"$', users, re.MULTILINE)
        assert password
        async with await psycopg.AsyncConnection.connect(
            host=str(self.layout.cluster(ref).sockets),
            port=PORT,
            user=CONSOLE,
            password=password[1],
            dbname="pgbouncer",
            autocommit=True,
            connect_timeout=5,
        ) as console:
            return {row[0]: row[1] for row in await (await console.execute("show config")).fetchall()}

    async def _await_socket(self, ref: str) -> None:
        try:
            async with asyncio.timeout(START_WITHIN):
                while not self._answers(ref):
                    for process in [ended for ended in _ours if ended.poll() is not None]:
                        _ours.remove(process)  # another process of ours may have started the one that answers
                    await asyncio.sleep(POLL)
        except TimeoutError as error:
            raise PoolerFailed(f"The pooler did not come up: {self._last_words(ref)}") from error

    def _answers(self, ref: str) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(self._socket(ref)))
            return True
        return False

    def _pid(self, ref: str) -> int | None:
        """The living pooler of this project."""
        for process in [ended for ended in _ours if ended.poll() is not None]:
            _ours.remove(process)
        try:
            pid = int((self._directory(ref) / "pgbouncer.pid").read_text())
            found = psutil.Process(pid)
            ours = str(self._directory(ref) / "pgbouncer.ini") in found.cmdline()
            return pid if ours and found.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, psutil.Error):
            return None

    def _forget_dead(self, ref: str) -> None:
        if self._pid(ref) is None:
            (self._directory(ref) / "pgbouncer.pid").unlink(missing_ok=True)
            self._socket(ref).unlink(missing_ok=True)

    def _last_words(self, ref: str) -> str:
        texts = [self._directory(ref) / name for name in ("pgbouncer.log", "pgbouncer.out")]
        lines = [line for file in texts if file.is_file() for line in file.read_text(errors="replace").splitlines()]
        return " ".join(lines[-3:]) or "it printed nothing"

    def _directory(self, ref: str) -> Path:
        return self.layout.cluster(ref).sockets / "pooler"

    def _socket(self, ref: str) -> Path:
        """Beside the cluster's own, whose path is as long as a path to a socket may be."""
        return self.layout.cluster(ref).sockets / f".s.PGSQL.{PORT}"
