"""Functions as processes of this machine: one for each version that is in use, owned by who serves it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path

from baseplane.drivers.cluster import DriverUnavailable
from baseplane.drivers.functions import (
    FunctionBroken,
    FunctionFailed,
    FunctionSpec,
    Lease,
    Limits,
    SourceMissing,
    causes,
    sandbox,
)
from baseplane.drivers.functions.pace import Failures
from baseplane.drivers.functions.places import Places, Version
from baseplane.drivers.functions.preparing import Preparing, preparing
from baseplane.drivers.functions.process import Process
from baseplane.drivers.functions.spawning import Spawner
from baseplane.drivers.functions.users import Users

LOOK = 0.05
"""Seconds between looks at the processes."""

Log = Callable[[str, str, int, str, str, str], None]
"""Takes ref, id, version, execution id, level (debug, log, info, warning, error) and message."""


class LocalFunctions:
    """Used from the main thread: the kernel ends its processes with the thread that started them.

    ``data`` is the installation's data directory, ``sockets`` one with a short path (``Layout.sockets``).

    ``region`` is what functions read as SB_REGION. ``first_user`` is BASEPLANE_FUNCTIONS_UID. ``most`` is how many
    processes there may be here, of which one project has at most a quarter; ``cgroups`` False leaves memory to the watcher.
    """

    def __init__(
        self,
        data: Path,
        sockets: Path,
        *,
        doors: sandbox.Doors | None = None,
        limits: Limits | None = None,
        log: Log | None = None,
        region: str = "local",
        first_user: int = 0,
        most: int = 200,
        cgroups: bool = True,
    ) -> None:
        root = data.resolve() / "functions"
        self._places = Places(root)
        self._users = Users(root / "users.json", first_user)
        self._spawner = Spawner(
            root,
            sockets.resolve(),
            self._users,
            doors=doors or sandbox.Doors(),
            limits=limits or Limits(),
            region=region,
            cgroups=cgroups,
            say=self._say,
            ended=self._forget,
        )
        self._log = log
        self._most = most
        self._current: dict[tuple[str, str], Process] = {}
        self._processes: set[Process] = set()
        self._starting: dict[tuple[str, str, int], tuple[Mapping[str, str], asyncio.Task[Process]]] = {}
        self._failures: dict[tuple[str, str, int], Failures] = {}
        self._watcher: asyncio.Task[None] | None = None

    @cached_property
    def _preparing(self) -> Preparing:
        return preparing(self._places, self._users, self._spawner.program, self._load)

    async def prepare(self, spec: FunctionSpec, source: Mapping[str, bytes], environment: Mapping[str, str]) -> None:
        if await asyncio.to_thread(self._places.find, spec) is None:
            await asyncio.to_thread(self._spawner.make_ready)
            await self._preparing.build(spec, source, environment)

    async def _load(self, spec: FunctionSpec, version: Version, environment: Mapping[str, str]) -> None:
        process = self._spawn(spec, version, environment, trial=True)
        try:
            await process.await_listening()
        except FunctionFailed as error:
            raise FunctionBroken(error.message) from error
        finally:
            process.kill(None)
            await process.ended.wait()

    @asynccontextmanager
    async def lease(self, spec: FunctionSpec, environment: Mapping[str, str]) -> AsyncIterator[Lease]:
        process = self._current.get((spec.ref, spec.id))
        if process is None or not process.serves(spec, environment):
            process = await self._take_over(spec, environment)
        held = process.hold()
        try:
            yield held
        finally:
            if process.release(held):
                self._failures.pop((spec.ref, spec.id, spec.number), None)

    async def _take_over(self, spec: FunctionSpec, environment: Mapping[str, str]) -> Process:
        """Who asks first starts the process, for all who ask meanwhile; it starts though the first one goes away."""
        key = (spec.ref, spec.id, spec.number)
        if (before := self._current.get((spec.ref, spec.id))) is not None:
            await before.settle()
        while True:
            if key not in self._starting:
                if key in self._failures:
                    self._failures[key].check(environment)
                task = asyncio.create_task(self._begin(spec, dict(environment)))
                task.add_done_callback(lambda done: self._started(key, done))
                self._starting[key] = (dict(environment), task)
            wanted, beginning = self._starting[key]
            try:
                process = await asyncio.shield(beginning)
            except FunctionFailed:
                if wanted == environment:
                    raise
                continue
            if wanted == environment and process.start.spec == spec:
                return process
            current = self._current.get((spec.ref, spec.id))
            if current is not None and current.serves(spec, environment):
                return current

    def _started(self, key: tuple[str, str, int], task: asyncio.Task[Process]) -> None:
        self._starting.pop(key, None)
        if not task.cancelled():
            task.exception()  # those who wait are told

    async def _begin(self, spec: FunctionSpec, environment: Mapping[str, str]) -> Process:
        version = await asyncio.to_thread(self._places.find, spec)
        if version is None:
            raise SourceMissing(f"Version {spec.version} of function {spec.slug} is not prepared on this machine.")
        self._make_room(spec.ref)
        try:
            await asyncio.to_thread(self._spawner.make_ready)
            process = self._spawn(spec, version, environment, trial=False)
        except (DriverUnavailable, OSError) as error:
            raise causes.did_not_start(error) from error
        await process.await_listening()
        before = self._current.get((spec.ref, spec.id))
        self._current[spec.ref, spec.id] = process
        if before is not None:
            before.retire()
        return process

    def _make_room(self, ref: str) -> None:
        """Stop the process that was used longest ago: one of the project's own if it has many, else anybody's."""
        running = [process for process in self._processes if not process.retired and not process.start.trial]
        own = [process for process in running if process.start.spec.ref == ref]
        share = max(1, self._most // 4)
        if len(own) >= share:
            _stop_oldest(own, causes.too_many_of_one(share))
        elif len(running) >= self._most:
            _stop_oldest(running, causes.too_many(self._most))

    def _spawn(self, spec: FunctionSpec, version: Version, environment: Mapping[str, str], *, trial: bool) -> Process:
        process = self._spawner.spawn(spec, version, environment, trial=trial)
        self._processes.add(process)
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        return process

    def _say(self, spec: FunctionSpec, execution_id: str, level: str, message: str) -> None:
        if self._log is not None:
            self._log(spec.ref, spec.id, spec.version, execution_id, level, message)

    def _forget(self, process: Process) -> None:
        self._processes.discard(process)
        spec, cause = process.start.spec, process.cause
        if self._current.get((spec.ref, spec.id)) is process:
            del self._current[spec.ref, spec.id]
        if cause is not None and process.failed and not process.start.trial:
            self._count(spec, process.start.environment, cause)

    def _count(self, spec: FunctionSpec, environment: Mapping[str, str], cause: FunctionFailed) -> None:
        key = (spec.ref, spec.id, spec.number)
        if key not in self._failures or self._failures[key].environment != environment:
            self._failures[key] = Failures(environment)
        self._failures[key].add(cause.message)

    async def _watch(self) -> None:
        while self._spawner.remove_groups() or self._processes:
            for process in list(self._processes):
                process.look()
            await asyncio.sleep(LOOK)

    def running(self, ref: str) -> int:
        return sum(process.start.spec.ref == ref for process in self._processes)

    async def stop(self, ref: str) -> None:
        await self._end([process for process in self._processes if process.start.spec.ref == ref])

    async def remove(self, ref: str, id: str | None = None) -> None:  # noqa: A002
        specs = ((process, process.start.spec) for process in self._processes)
        await self._end([process for process, spec in specs if spec.ref == ref and id in (None, spec.id)])
        self._failures = {
            key: kept for key, kept in self._failures.items() if key[0] != ref or id not in (None, key[1])
        }
        await asyncio.to_thread(self._places.remove, ref, id)

    async def close(self) -> None:
        """End every process, for good."""
        for _, task in list(self._starting.values()):
            task.cancel()
        await self._end(list(self._processes))
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        await self._spawner.close()

    async def _end(self, processes: list[Process]) -> None:
        for process in processes:
            process.kill(None)
        await asyncio.gather(*(process.ended.wait() for process in processes))


def _stop_oldest(processes: list[Process], otherwise: FunctionFailed) -> None:
    """Of those that are idle. Raises ``otherwise`` when none is."""
    idle = [process for process in processes if process.is_idle]
    if not idle:
        raise otherwise
    min(idle, key=lambda process: process.used).kill(None)
