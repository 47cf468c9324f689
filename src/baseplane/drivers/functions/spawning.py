"""Everything that a process of a function is given before it starts, and what is taken back after its end."""

import asyncio
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from baseplane.drivers.functions import FunctionSpec, Limits, kernel, sandbox
from baseplane.drivers.functions.cgroups import Cgroup, find_parent
from baseplane.drivers.functions.confinement import Confinement
from baseplane.drivers.functions.owners import ENDS_WITHIN, Owner, end_leftovers, remove_sockets
from baseplane.drivers.functions.places import Version
from baseplane.drivers.functions.process import Process, Say, Start
from baseplane.drivers.functions.program import Program, check_reach, install
from baseplane.drivers.functions.users import Users

_FILE_SIZE = 0
"""Bytes that a function's process may write into a file: it serves, from what was prepared."""
_POLL = 0.02


def silent(spec: FunctionSpec, execution_id: str, level: str, message: str) -> None:
    """What a version says while it loads for the first time: its mistakes are told by FunctionBroken."""


class Spawner:
    """``root`` and ``sockets`` are directories; ``region`` is what functions read as SB_REGION. ``say`` hears processes
    that serve; ``ended`` is told of each that ends.
    """

    def __init__(
        self,
        root: Path,
        sockets: Path,
        users: Users,
        *,
        doors: sandbox.Doors,
        limits: Limits,
        region: str,
        cgroups: bool,
        say: Say,
        ended: Callable[[Process], None],
    ) -> None:
        self._root = root
        self._sockets = sockets
        self._users = users
        self._doors = doors
        self._limits = limits
        self._region = region
        self._groups = find_parent() if cgroups else None
        self._say = say
        self._ended = ended
        self._left: list[Cgroup] = []
        self._first = threading.Lock()

    @cached_property
    def program(self) -> Program:
        program = install(self._root)
        for path in (program.deno, self._sockets / "any"):
            check_reach(path)
        return program

    @cached_property
    def owner(self) -> Owner:
        end_leftovers(self._root / "owners")
        return Owner(self._root / "owners")

    def make_ready(self) -> None:
        """What the first process needs, once. Blocks. Raises DriverUnavailable, OSError."""
        with self._first:
            assert self.program
            assert self.owner
            kernel.sealed_calls()  # not between fork and exec
            kernel.landlock_abi()

    def spawn(self, spec: FunctionSpec, version: Version, environment: Mapping[str, str], *, trial: bool) -> Process:
        """``trial`` is the first time that a version loads. Raises DriverUnavailable, OSError."""
        user = self._users.of(spec.ref)
        self._sockets.mkdir(mode=0o711, parents=True, exist_ok=True)
        sockets = self._sockets / f"f{secrets.token_hex(6)}"
        name = f"baseplane-{self.owner.name}-{sockets.name}"
        self.owner.note(sockets, self._groups / name if self._groups else None)
        sockets.mkdir(mode=0o700)
        cgroup = Cgroup.make(self._groups, name, self._limits.memory) if self._groups else None
        call = sandbox.run(self.program, version, sockets / "s", self._doors, self._limits.memory)
        try:
            if user is not None:
                os.chown(sockets, user.uid, user.gid)
            process = Process(
                Start(
                    spec=spec,
                    version=version,
                    environment=environment,
                    trial=trial,
                    limits=self._limits,
                    program=self.program.deno,
                    call=call,
                    confinement=Confinement(user, call.files, _FILE_SIZE, self._limits.memory, sealed=True),
                    told=sandbox.tell(version, {"SB_REGION": self._region, **environment}, self._doors),
                    cgroup=cgroup,
                    sockets=sockets,
                    say=silent if trial else self._say,
                    ended=self._after,
                )
            )
        except OSError:
            self._take_back(sockets, cgroup)
            raise
        self.owner.note(sockets, cgroup.home if cgroup else None, process.pid)
        return process

    def _after(self, process: Process) -> None:
        self._take_back(process.start.sockets, process.start.cgroup)
        self._ended(process)

    def _take_back(self, sockets: Path, cgroup: Cgroup | None) -> None:
        remove_sockets(sockets)
        self.owner.forget(sockets)
        if cgroup is not None:
            self._left.append(cgroup)
            self.remove_groups()

    def remove_groups(self) -> bool:
        """Whether the kernel still keeps some; it does so for a moment after a process has ended."""
        self._left = [group for group in self._left if not group.remove()]
        return bool(self._left)

    async def close(self) -> None:
        deadline = time.monotonic() + ENDS_WITHIN
        while self.remove_groups() and time.monotonic() < deadline:
            await asyncio.sleep(_POLL)
        if owner := self.__dict__.pop("owner", None):
            owner.close()
