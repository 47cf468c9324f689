"""Which processes are whose: an owner that died leaves files by which the next one finds what it left."""

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
from pathlib import Path

import psutil


class Owner:
    """We ourselves, with a directory that we keep locked while we live."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".", dir=root))
        self._lock = os.open(fresh / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.home = fresh.rename(root / fresh.name[1:])  # seen by others once it is locked

    @property
    def name(self) -> str:
        return self.home.name

    def note(self, pid: int, sockets: Path) -> None:
        """Before anybody relies on it, a file tells which process it is and what goes with it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            (self.home / str(pid)).write_text(f"{psutil.Process(pid).create_time()}\n{sockets}\n")

    def forget(self, pid: int) -> None:
        (self.home / str(pid)).unlink(missing_ok=True)

    def close(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        os.close(self._lock)


def end_leftovers(root: Path) -> None:
    """End the processes of owners that are no more."""
    for home in root.glob("[!.]*"):
        try:
            lock = os.open(home / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # just gone
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for note in home.iterdir():
                if note.name.isdigit():
                    _end(int(note.name), note.read_text())
            shutil.rmtree(home, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def _end(pid: int, note: str) -> None:
    created, _, sockets = note.strip().partition("\n")
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
        if abs(psutil.Process(pid).create_time() - float(created or 0)) < 0.02:
            os.kill(pid, signal.SIGKILL)
    if sockets:
        remove_sockets(Path(sockets))


def remove_sockets(home: Path) -> None:
    """Of a process that is no more; nothing may be written there, not even by us."""
    with contextlib.suppress(OSError):
        home.chmod(0o700)
    shutil.rmtree(home, ignore_errors=True)
