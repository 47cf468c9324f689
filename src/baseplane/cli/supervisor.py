"""Keeps the parts running: starts each, starts it again when it dies, stops them all."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from baseplane.cli.nursery import Child, Nursery

PR_SET_CHILD_SUBREAPER = 36  # Linux, prctl(2)
STOP_WITHIN = 8.0
"""Seconds that the parts have to end before they are killed; whatever they were doing goes on at the next start."""
BACKOFF = (0.2, 10.0)
"""Seconds before a part that died is started again: at first, and when it keeps dying."""


@dataclass(slots=True)
class Part:
    name: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | Child | None = None
    started: float = 0.0
    backoff: float = BACKOFF[0]


@dataclass(slots=True)
class Supervisor:
    """Starts parts as `python -m baseplane NAME …` with ``environment`` on top of ours; from the nursery if there is one."""

    environment: Mapping[str, str]
    say: Callable[[str], None]
    nursery: Nursery | None = None
    parts: list[Part] = field(default_factory=list)

    def start(self, name: str, *arguments: str) -> None:
        part = Part(name, [*arguments, "--parent", str(os.getpid())])
        self.parts.append(part)
        self._spawn(part)

    def _spawn(self, part: Part) -> None:
        part.process = self._begin([part.name, *part.arguments])
        part.started = time.monotonic()

    def _begin(self, arguments: list[str]) -> subprocess.Popen[bytes] | Child:
        if self.nursery:
            with contextlib.suppress(OSError):  # a nursery that was killed is done without
                return self.nursery.start(arguments, self.environment)
        return subprocess.Popen(
            [sys.executable, "-m", "baseplane", *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us alone, and we decide the order
        )

    async def watch(self) -> None:
        """Start again what dies, and collect orphans, until cancelled."""
        while True:
            await asyncio.gather(*(self._look_after(part) for part in self.parts))
            reap_orphans({part.process.pid for part in self.parts if part.process})
            await asyncio.sleep(0.2)

    async def _look_after(self, part: Part) -> None:
        if part.process is None or (code := part.process.poll()) is None:
            return
        if time.monotonic() - part.started > 60:
            part.backoff = BACKOFF[0]
        self.say(f"the {part.name} ended ({_how(code)}); starting it again")
        await asyncio.sleep(part.backoff)
        part.backoff = min(part.backoff * 2, BACKOFF[1])
        self._spawn(part)

    def died(self) -> Part | None:
        """A part that is not running."""
        return next((part for part in self.parts if part.process and part.process.poll() is not None), None)

    async def stop(self) -> None:
        running = [part.process for part in self.parts if part.process and part.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN):
                while any(process.poll() is None for process in running):
                    await asyncio.sleep(0.02)
        for process in running:
            process.send_signal(signal.SIGKILL)
        while any(process.poll() is None for process in running):
            await asyncio.sleep(0.02)


def adopt_orphans() -> None:
    """Become the parent of processes whose parent dies below us, on systems that have that: clusters of a worker."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(own: set[int]) -> None:
    """Collect dead children that we adopted; our own are left to whoever asks how they ended."""
    with contextlib.suppress(AttributeError, ChildProcessError):
        while (dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and dead.si_pid not in own:
            os.waitpid(dead.si_pid, 0)


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
