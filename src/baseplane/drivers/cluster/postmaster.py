"""One Postgres server process: started by us, found again after our death, stopped.

The postmaster is a session leader of its own, so that no signal of our terminal reaches it, and it outlives us on
purpose: its postmaster.pid tells the next process of ours where it is.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from baseplane.drivers.cluster import StartFailed
from baseplane.drivers.cluster.account import Account
from baseplane.drivers.cluster.engines import Engine

POLL = 0.004  # seconds; Postgres is up in about 35 ms
STOP_WITHIN = 30.0
"""Seconds that a fast shutdown may take before it becomes an immediate one, which crash recovery makes good."""

TAIL = 20_000
"""Characters at the end of a log that are read for an error message."""
_LOG_OPEN = "redirecting log output"
_NO_OBJECTION = (_LOG_OPEN, "database system is shut down")
_OBJECTION = re.compile(r"(?:FATAL|PANIC|LOG|postgres): +(.*)")

READY = ("ready", "standby")
"""What postmaster.pid says of a server that takes connections."""

_ours: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class Postmaster:
    """``data`` is the data directory; what Postgres prints before its log is open goes to ``output``."""

    engine: Engine
    account: Account
    data: Path
    output: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.engine.environment, "LC_ALL": "C"}

    @property
    def file(self) -> Path:
        """It names the process, and its status when that changes."""
        return self.data / "postmaster.pid"

    def status(self) -> str | None:
        """What postmaster.pid says, such as ``starting`` or ``ready``; None when no such process is alive."""
        return self._read()[1] if self.pid() else None

    def pid(self) -> int | None:
        """The living postmaster of this data directory."""
        pid, _ = self._read()
        return pid if pid and _is_postmaster(pid, self.data) else None

    def _read(self) -> tuple[int | None, str | None]:
        try:
            lines = self.file.read_text().splitlines()
            return int(lines[0]), lines[7].strip() if len(lines) > 7 else "starting"
        except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
            return None, None

    def spawn(self) -> None:
        """Start it, unless it runs."""
        if self.pid():
            return
        if self.file.exists():  # of a process that is dead, or of another program
            self._end_orphans()
            self._clear()
        with self.output.open("wb") as output:
            process = subprocess.Popen(
                [self.engine.program("postgres"), "-D", str(self.data)],
                env=self.environment,
                stdout=output,
                stderr=output,
                cwd="/",
                **self.account.process,
            )
        _ours[process.pid] = process

    def _end_orphans(self) -> None:
        """End what a killed postmaster left: a busy backend does not notice, and keeps a new postmaster out."""
        left = [process for process in psutil.process_iter() if _works_in(process, self.data)]
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=5)

    def _clear(self) -> None:
        """The lock on the socket, too: Postgres takes a zombie, or another process of that number, for its holder."""
        lines = self.file.read_text().splitlines()
        if len(lines) > 4 and lines[3].isdigit():
            (Path(lines[4]) / f".s.PGSQL.{lines[3]}.lock").unlink(missing_ok=True)
        self.file.unlink()

    async def await_ready(self, within: float) -> None:
        """Wait until it takes connections. Raises StartFailed with what it logged."""
        try:
            async with asyncio.timeout(within):
                while self._read()[1] not in READY:
                    if not self._is_alive():
                        raise StartFailed(f"Postgres ended while starting: {self.last_words()}")
                    await asyncio.sleep(POLL)
        except TimeoutError as error:
            raise StartFailed(f"Postgres did not get ready within {within:g} seconds: {self.last_words()}") from error

    def _is_alive(self) -> bool:
        """Before postmaster.pid is written only its parent knows that it lives."""
        if self.pid():
            return True
        return any(process.poll() is None and str(self.data) in _arguments(process) for process in list(_ours.values()))

    async def stop(self) -> None:
        """End sessions, write everything out, exit. Falls back to an immediate shutdown."""
        for how, within in ((signal.SIGINT, STOP_WITHIN), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            pid = self.pid()
            if pid is None:
                return
            os.kill(pid, how)
            if await _gone(pid, within):
                return

    def last_words(self) -> str:
        """What it objected to, for an error message: printed, or logged once it had a log, without our paths."""
        printed = self.output.read_text(errors="replace") if self.output.is_file() else ""
        said = objections(printed)
        if _LOG_OPEN in printed:
            logs = sorted((self.data.parent / "log").glob("*.json"), key=lambda path: path.stat().st_mtime)
            said += [message for path in logs[-1:] for message in _logged(path)]
        return "; ".join(said[-3:]) or "it does not say why"


def objections(printed: str) -> list[str]:
    """What a server printed of why it does not start; lines that name a file say less than those before them."""
    found = (_OBJECTION.search(line) for line in printed.splitlines())
    said = [line[1].strip() for line in found if line and "/" not in line[1]]
    return [text for text in said if not text.startswith(_NO_OBJECTION)]


def _logged(path: Path) -> Iterator[str]:
    """Why a server ended, from the end of its log."""
    for line in path.read_text(errors="replace")[-TAIL:].splitlines():
        with contextlib.suppress(ValueError):  # the first line may be half of one
            entry = json.loads(line)
            if entry.get("error_severity") in ("FATAL", "PANIC") and "/" not in entry["message"]:
                yield entry["message"]


def _arguments(process: subprocess.Popen[bytes]) -> str:
    return " ".join(map(str, process.args)) if isinstance(process.args, list) else ""


def _is_postmaster(pid: int, data: Path) -> bool:
    """Whether this process is the one that serves ``data``: a postmaster works in its data directory."""
    _reap(pid)
    try:
        return _works_in(psutil.Process(pid), data)
    except psutil.NoSuchProcess:
        return False


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == data.resolve()
    except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
        return False


def _reap(pid: int) -> None:
    """Collect it if it was our child and has ended, so that its pid does not linger."""
    if (process := _ours.get(pid)) and process.poll() is not None:
        del _ours[pid]


async def _gone(pid: int, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            while psutil.pid_exists(pid):
                _reap(pid)
                try:
                    if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                        return True  # another process of ours is its parent and collects it
                except psutil.NoSuchProcess:
                    return True
                await asyncio.sleep(POLL)
    except TimeoutError:
        return False
    return True
