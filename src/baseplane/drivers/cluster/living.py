"""Which servers were found ready and have not changed since, told without looking into each of thousands every second."""

import contextlib
import os
import select
import time
from dataclasses import dataclass
from pathlib import Path

from baseplane.drivers.cluster.postmaster import READY, Postmaster

SETTLED = 1_000_000_000
"""Nanoseconds after which a file's time tells apart what was written before from what is written now."""


@dataclass(frozen=True, slots=True)
class _Server:
    """``pidfd`` becomes readable when the process ends; the status of a living one is in ``file``, written at ``written``."""

    pidfd: int
    file: Path
    written: int


class Living:
    """Knows servers by a name. Where the system has no pidfd (it is not Linux), nobody is known, and each is looked at."""

    def __init__(self) -> None:
        self._known: dict[str, _Server] = {}
        self._ends = select.poll()

    def observe(self, name: str, server: Postmaster) -> str | None:
        """The status of one that is looked at, which is known from then on if it is ready."""
        self.forget(name)
        with contextlib.suppress(OSError, AttributeError):
            pid, written = server.pid(), server.file.stat().st_mtime_ns
            if pid and time.time_ns() - written > SETTLED:
                self._remember(name, _Server(os.pidfd_open(pid), server.file, written))
        status = server.status()
        if status not in READY:
            self.forget(name)
        return status

    def ready(self) -> set[str]:
        """Those that are known and as they were; the others are forgotten."""
        ended = {pidfd for pidfd, _ in self._ends.poll(0)}
        for name, server in list(self._known.items()):
            if server.pidfd in ended or _written(server.file) != server.written:
                self.forget(name)
        return set(self._known)

    def forget(self, name: str) -> None:
        if server := self._known.pop(name, None):
            self._ends.unregister(server.pidfd)
            os.close(server.pidfd)

    def close(self) -> None:
        for name in list(self._known):
            self.forget(name)

    def _remember(self, name: str, server: _Server) -> None:
        self._known[name] = server
        self._ends.register(server.pidfd, select.POLLIN)


def _written(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None
