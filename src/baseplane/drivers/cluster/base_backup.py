"""One run of pg_basebackup: it goes on without us, is found again after our death, and is whole or of no use."""

import asyncio
import contextlib
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from baseplane.drivers.cluster.account import Account
from baseplane.drivers.cluster.engines import Engine

POLL = 0.01  # seconds
TAIL = 2000
"""Characters at the end of what it printed that are read for an error message."""

_ours: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class BaseBackup:
    """``directory`` is its own: the data goes to ``data`` in it."""

    account: Account
    directory: Path

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def passwords(self) -> Path:
        """A password file of libpq, which reads none that others may read."""
        return self.directory / "pgpass"

    @property
    def _output(self) -> Path:
        return self.directory / "pg_basebackup.out"

    @property
    def _pid(self) -> Path:
        return self.directory / "pg_basebackup.pid"

    @property
    def was_begun(self) -> bool:
        return self.directory.exists()

    @property
    def is_whole(self) -> bool:
        """The manifest gets its name when everything else is there (pg_basebackup.c, BaseBackup)."""
        return (self.data / "backup_manifest").exists() and not self.is_running

    @property
    def is_running(self) -> bool:
        for process in [ended for ended in _ours if ended.poll() is not None]:
            _ours.remove(process)
        try:
            return self._is_ours(psutil.Process(int(self._pid.read_text())))
        except (OSError, ValueError, psutil.Error):
            return False

    async def ends(self, within: float) -> bool:
        """Whether it has come to an end, good or bad, at the latest after so many seconds."""
        until = time.monotonic() + within
        while self.is_running:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(POLL)
        return True

    def begin(self, engine: Engine, sockets: Path, user: str, slot: str) -> None:
        """Copy the cluster behind ``sockets``, with all write-ahead log since, which ``slot`` keeps there."""
        arguments = [
            str(engine.program("pg_basebackup")),
            f"--pgdata={self.data}",
            f"--host={sockets}",
            f"--username={user}",
            "--no-password",
            "--wal-method=stream",
            f"--slot={slot}",
            "--checkpoint=fast",
            "--no-sync",  # who takes it over brings the file system to disk at once
        ]
        with self._output.open("wb") as output:
            process = subprocess.Popen(
                arguments,
                env={**os.environ, **engine.environment, "LC_ALL": "C", "PGPASSFILE": str(self.passwords)},
                stdout=output,
                stderr=output,
                cwd="/",
                **self.account.process,
            )
        _ours.append(process)
        self._pid.write_text(str(process.pid))

    def forget(self) -> None:
        """Delete what is not the cluster's."""
        self._output.unlink(missing_ok=True)
        self._pid.unlink(missing_ok=True)

    def end(self) -> None:
        """Kill it, and the process that streams for it."""
        if not self.was_begun:
            return
        left = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=5)

    def complaint(self) -> str:
        """Why it ended without being whole."""
        printed = self._output.read_text(errors="replace")[-TAIL:] if self._output.exists() else ""
        lines = [line.partition("error: ")[2] for line in printed.splitlines() if "error: " in line]
        return "; ".join(line.rpartition("FATAL:")[2].strip() for line in lines if line) or "it was ended from outside"

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.status() != psutil.STATUS_ZOMBIE and f"--pgdata={self.data}" in process.cmdline()
        except psutil.Error:
            return False
