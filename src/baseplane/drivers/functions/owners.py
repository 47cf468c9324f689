"""Which processes are whose: an owner that died leaves files by which the next one finds what it left."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import psutil

from baseplane.drivers.functions.cgroups import Cgroup

LOCK = "lock"
ENDS_WITHIN = 1.0
"""Seconds that the kernel may take for a process that was killed, and for its group."""


class Owner:
    """We ourselves, with a directory that we keep locked while we live."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".", dir=root))
        self._lock = os.open(fresh / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.home = fresh.rename(root / fresh.name[1:])  # seen by others once it is locked

    @property
    def name(self) -> str:
        return self.home.name

    def note(self, sockets: Path, cgroup: Path | None, pid: int | None = None) -> None:
        """A file tells what is made for a process, before it is made, and then which process it is."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = None if pid is None else [pid, psutil.Process(pid).create_time()]
            note = {"process": process, "sockets": str(sockets), "cgroup": str(cgroup) if cgroup else None}
            fresh = self.home / f".{sockets.name}"
            fresh.write_text(json.dumps(note))
            fresh.replace(self.home / sockets.name)

    def forget(self, sockets: Path) -> None:
        (self.home / sockets.name).unlink(missing_ok=True)

    def close(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        os.close(self._lock)


def end_leftovers(root: Path) -> None:
    """End the processes of owners that are no more. Blocks while they end."""
    for home in root.glob("[!.]*"):
        try:
            lock = os.open(home / LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # just gone
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            notes = [json.loads(note.read_text()) for note in home.iterdir() if not note.name.startswith((".", LOCK))]
            for note in notes:
                if note["process"]:
                    _end(*note["process"])
            for note in notes:
                _clear(Path(note["sockets"]), note["cgroup"])
            shutil.rmtree(home, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def _end(pid: int, created: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
        process = psutil.Process(pid)
        if abs(process.create_time() - created) < 0.02:  # else the number was given again
            process.kill()
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(ENDS_WITHIN)


def _clear(sockets: Path, cgroup: str | None) -> None:
    remove_sockets(sockets)
    if cgroup:
        deadline = time.monotonic() + ENDS_WITHIN
        while not Cgroup(Path(cgroup)).remove() and time.monotonic() < deadline:
            time.sleep(0.005)


def remove_sockets(home: Path) -> None:
    """Of a process that is no more; nothing may be written there, not even by us."""
    with contextlib.suppress(OSError):
        home.chmod(0o700)
    shutil.rmtree(home, ignore_errors=True)
