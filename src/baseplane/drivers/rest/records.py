"""Which servers were started by whom, so that those whose owner was killed are ended, and never another's."""

import contextlib
import os
from pathlib import Path

import psutil

SAME = 1.0
"""Seconds by which the moment of a process's birth may seem to change."""


def write(record: Path, pid: int, socket: Path) -> None:
    """Note in ``record``, whose name is the number, that we started ``pid``."""
    record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    me = os.getpid()
    record.write_text("\n".join(map(str, (_born(pid), me, _born(me), socket))))


def end_leftovers(directory: Path) -> None:
    """End the servers whose owner is gone."""
    with contextlib.suppress(FileNotFoundError):
        for record in list(directory.iterdir()):
            with contextlib.suppress(FileNotFoundError, ValueError):
                born, owner, owner_born, socket = record.read_text().split("\n")
                if not _is(int(owner), float(owner_born)):
                    if _is(int(record.name), float(born)):
                        psutil.Process(int(record.name)).kill()
                    Path(socket).unlink(missing_ok=True)
                    record.unlink(missing_ok=True)


def _born(pid: int) -> float:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).create_time()
    return 0.0


def _is(pid: int, born: float) -> bool:
    return abs(_born(pid) - born) < SAME
