"""One process that serves one version: started, held by requests, kept to its limits, explained."""

import asyncio
import contextlib
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from baseplane.drivers.functions import FunctionFailed, FunctionSpec, Limits, causes, graph, sandbox
from baseplane.drivers.functions.cgroups import Cgroup
from baseplane.drivers.functions.child import Child
from baseplane.drivers.functions.confinement import Confinement
from baseplane.drivers.functions.places import Version
from baseplane.drivers.functions.usage import Spent, Usage

POLL = 0.002
_RESTED = 0.5
"""Seconds between looks at a process that nobody uses."""
_BUSY = 0.5
"""Processors."""
_GRACE, _LAST_GRACE = 0.005, 0.1
"""Seconds between the end of a process' connections and its own; the second where it does not listen any more."""


Say = Callable[[FunctionSpec, str, str, str], None]
"""Takes the execution's id, a level and a message."""


@dataclass(slots=True, eq=False)
class Held:
    """A request that runs: the driver's promise is ``Lease``."""

    process: "Process"
    began: float = field(default_factory=time.monotonic)
    spent: Spent = field(default_factory=Spent)
    broken: bool = False

    @property
    def socket(self) -> Path:
        return self.process.socket

    @property
    def execution_id(self) -> str:
        return self.process.execution_id

    def verdict(self) -> FunctionFailed | None:
        self.broken = True
        return self.process.verdict()


@dataclass(frozen=True, slots=True)
class Start:
    """What a process is started with. ``trial`` is a version's first time; ``sockets`` is a directory of its own; ``ended``
    is called once.
    """

    spec: FunctionSpec
    version: Version
    environment: Mapping[str, str]
    trial: bool
    limits: Limits
    program: Path
    call: sandbox.Call
    confinement: Confinement
    told: Mapping[str, Any]
    cgroup: Cgroup | None
    sockets: Path
    say: Say
    ended: Callable[["Process"], None]


class Process:
    def __init__(self, start: Start) -> None:
        self.start = start
        self.execution_id = str(uuid.uuid4())
        self.socket = start.sockets / "s"
        self.held: set[Held] = set()
        self.retired = False
        self.used = time.monotonic()
        self.cause: FunctionFailed | None = None
        self.failed = True
        """Whether it ended by a fault of its own."""
        self.ended = asyncio.Event()
        self._listening = False
        self._background = False
        self._child = Child(
            start.program, start.call, start.confinement, self._told(), self._say, self._hear, self._after
        )
        self._usage = Usage(self.pid, start.limits.cpu)
        self._watches_memory = start.cgroup is None
        self._limited = asyncio.create_task(self._limit(start.cgroup)) if start.cgroup else None

    def _told(self) -> dict[str, Any]:
        spec, told = self.start.spec, self.start.told
        about = {
            "SB_EXECUTION_ID": self.execution_id,
            "DENO_DEPLOYMENT_ID": f"{spec.ref}_{spec.id}_{spec.version}",
        }
        return {**told, "environment": {**told["environment"], **about}}

    @property
    def pid(self) -> int:
        return self._child.pid

    async def _limit(self, cgroup: Cgroup) -> None:
        """While it starts: what it takes before is no more than Deno itself."""
        try:
            await asyncio.to_thread(cgroup.take, self.pid)
        except OSError:  # it has ended, or the group cannot be entered
            self._watches_memory = True

    async def await_listening(self) -> None:
        """Raises FunctionFailed."""
        deadline = time.monotonic() + self.start.limits.boot
        while not self._answers():
            if self.ended.is_set():
                raise self.cause or causes.stopped()
            if time.monotonic() > deadline:
                self.kill(causes.never_listened(self.start.limits))
                await self.ended.wait()
            else:
                await asyncio.sleep(POLL)
        if self._limited is not None:
            await self._limited
        self._listening = True
        with contextlib.suppress(OSError):
            self.start.sockets.chmod(0o500)  # it has made all that it may make there
            self._usage.forget()
        self.used = time.monotonic()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(self.socket))
            except BlockingIOError:
                return True
            except OSError:
                return False
        return True

    def serves(self, spec: FunctionSpec, environment: Mapping[str, str]) -> bool:
        """Whether the next request may have it. It may have died this moment, before we are told."""
        start = self.start
        mine = not self.retired and start.spec == spec and start.environment == environment
        return mine and self._child.code() is None

    @property
    def is_idle(self) -> bool:
        return self._listening and not self.held and not self._background

    async def settle(self) -> None:
        """If it is dead, wait until all of us know."""
        if self._child.code() is not None:
            await self.ended.wait()

    def hold(self) -> Held:
        held = Held(self)
        self.held.add(held)
        return held

    def release(self, held: Held) -> bool:
        """Whether all went well."""
        self.held.discard(held)
        self.used = time.monotonic()
        if self.retired:
            self.retire()
        return not held.broken and self._child.code() is None

    def retire(self) -> None:
        """Give it no more requests, and end it once those it has are over."""
        self.retired = True
        if not self.held and not self._background:
            self.kill(None)

    def kill(self, cause: FunctionFailed | None) -> None:
        """At once. ``cause`` is what its requests are told; without one it is nobody's fault."""
        if self.ended.is_set() or self._child.code() is not None:
            return
        self.retired = True
        if self.cause is None:
            self.failed = cause is not None
            self.cause = cause or causes.stopped()
        self._child.kill()

    def look(self) -> None:
        """Keep it to its limits; called many times a second."""
        now, limits = time.monotonic(), self.start.limits
        if self._child.allowance.is_due():
            self._child.allowance.settle()
        active = self.held or self._background or not self._listening
        if self.ended.is_set() or (not active and now - self._usage.at < _RESTED):
            return
        with contextlib.suppress(OSError):  # gone this moment
            if self._watches_memory and self._usage.memory() > limits.memory:
                self.kill(causes.out_of_memory(limits))
            if self._listening and self._usage.count([held.spent for held in self.held]):
                self._spent_too_much()
        if self._listening:
            self._look_at_time(now)

    def _spent_too_much(self) -> None:
        """Requests that wait, such as open WebSockets, share what others spend beside them: they go on by themselves."""
        if self.retired or self._usage.load > _BUSY:
            self.kill(causes.out_of_processor_time(self.start.limits))
            return
        self.retire()
        for held in self.held:
            held.spent.seconds = 0.0

    def _look_at_time(self, now: float) -> None:
        limits = self.start.limits
        if self.held:
            overdue = sum(now - held.began > limits.wall for held in self.held)
            self.retired = self.retired or overdue > 0
            if overdue == len(self.held):
                self.kill(causes.out_of_time(limits))
        elif now - self.used > (limits.wall if self._background else limits.idle):
            self.kill(None)
            self.cause = causes.idle()

    def verdict(self) -> FunctionFailed | None:
        """Why it ended; None while it serves. Takes as long as a process needs to end after its connections."""
        began = time.monotonic()
        while self.cause is None and self._child.code() is None:
            waited = time.monotonic() - began
            if waited > _GRACE and self._answers():
                return None
            if waited > _LAST_GRACE:
                return self._give_up()
            time.sleep(0.0005)
        return self.cause or self._explain()

    def _give_up(self) -> FunctionFailed:
        self.kill(causes.stopped_listening())
        return self.cause or causes.stopped()

    def _explain(self) -> FunctionFailed:
        said, code = self._child.complaint(), self._child.code()
        if (self.start.cgroup and self.start.cgroup.ran_out()) or "out of memory" in said:
            return causes.out_of_memory(self.start.limits)
        words = graph.readable(said, self.start.version.home)
        return causes.ended(words, code or 0) if self._listening else causes.did_not_load(words)

    def _hear(self, what: str) -> None:
        """The prelude tells when work in the background begins and when it is over. A function could say so, too: it gains
        no more than the time that such work has.
        """
        self._background = what == "1"
        if self.retired:
            self.retire()

    def _say(self, level: str, message: str) -> None:
        self.start.say(self.start.spec, self.execution_id, level, graph.readable(message, self.start.version.home))

    def _after(self) -> None:
        self.cause = self.cause or self._explain()
        self.retired = True
        self.ended.set()
        self.start.ended(self)
