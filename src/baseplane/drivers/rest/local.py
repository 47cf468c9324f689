"""PostgREST as processes of this one: started for the first request, ended when nobody asks, dead when we are."""

import asyncio
import itertools
import logging
import os
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from baseplane.drivers.cluster.account import Account
from baseplane.drivers.cluster.layout import SOCKET_NAME, Layout
from baseplane.drivers.rest import NOT_INSTALLED, Lease, Prepare, RestFailed, RestSpec, program, records
from baseplane.drivers.rest.environment import environment
from baseplane.drivers.rest.server import Server
from baseplane.errors import BaseplaneError

log = logging.getLogger(__name__)

IDLE = 60.0
"""Seconds without a request after which a server is ended."""
SHORT_LIFE = 10.0
"""Seconds; a server that ends sooner by itself counts as one that did not come up."""
FIRST_BACKOFF, LAST_BACKOFF = 0.25, 15.0
"""Seconds in which a server that failed is not tried again."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """``about`` what was tried in vain; it is not tried again before ``until``."""

    about: tuple[RestSpec, str]
    wait: float
    until: float
    message: str


class LocalRest:
    """``programs`` is the directory of engines, beside which the program lies. Used by one event loop."""

    def __init__(self, layout: Layout, account: Account, programs: Path, idle: float = IDLE) -> None:
        self._layout = layout
        self._account = account
        self._programs = programs
        self._idle = idle
        self._servers: dict[str, Server] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._failures: dict[str, _Failure] = {}
        self._lives: dict[Path, tuple[tuple[int, int], str]] = {}
        self._numbers = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        records.end_leftovers(self._records)

    def version(self) -> str | None:
        return program.VERSION if program.find(self._programs) else None

    async def lease(self, spec: RestSpec, prepare: Prepare) -> Lease:
        life = self._life(spec.cluster)
        server = self._servers.get(spec.ref)
        if server is None or not server.serves(spec, life):
            server = await self._renew(spec, life, prepare)
        server.leases += 1
        held = [server]

        def release() -> None:
            while held:
                self._give_back(held.pop())

        return Lease(server.socket, release)

    def _give_back(self, server: Server) -> None:
        server.leases -= 1
        server.used = time.monotonic()
        if server.retired and not server.leases:
            self._later(server.end())

    async def _renew(self, spec: RestSpec, life: str, prepare: Prepare) -> Server:
        async with self._locks.setdefault(spec.ref, asyncio.Lock()):  # first requests come in crowds
            old = self._servers.get(spec.ref)
            if old is not None and old.serves(spec, life):
                return old
            if old is not None:
                self._retire(old)
            self._refuse_too_soon(spec, life)
            try:
                fresh = await self._start(spec, life, prepare)
            except BaseplaneError as error:
                self._note_failure(spec, life, error.message)
                raise
            self._servers[spec.ref] = fresh
            self._sweeper = self._sweeper or asyncio.create_task(self._sweep())
            return fresh

    async def _start(self, spec: RestSpec, life: str, prepare: Prepare) -> Server:
        found = program.find(self._programs)
        if found is None:
            raise RestFailed("PostgREST is not installed: `baseplane doctor` says how to get it.", code=NOT_INSTALLED)
        await prepare()
        socket = spec.cluster / f"r{os.getpid():x}.{next(self._numbers):x}"  # no longer than the cluster's own
        server = Server(spec, life, socket)
        try:
            server.spawn(found, environment(spec, str(socket)), self._account, self._records)
        except OSError as error:
            raise RestFailed(f"The REST server could not be started: {error.strerror}") from error
        try:
            await server.await_ready()
        except BaseException:
            server.kill()
            raise
        log.info("REST server of project %s: ready as process %d", spec.ref, server.pid)
        return server

    def _retire(self, server: Server) -> None:
        """No new request gets it; it ends with the last that has it."""
        del self._servers[server.spec.ref]
        server.retired = True
        if not server.is_running():
            if time.monotonic() - server.began < SHORT_LIFE:
                self._note_failure(server.spec, server.life, f"The REST server ended: {server.last_words()}")
            server.kill()
        elif not server.leases:
            self._later(server.end())

    def _refuse_too_soon(self, spec: RestSpec, life: str) -> None:
        failure = self._failures.get(spec.ref)
        if failure and failure.about == (spec, life) and failure.until > time.monotonic():
            raise RestFailed(failure.message)

    def _note_failure(self, spec: RestSpec, life: str, message: str) -> None:
        before = self._failures.get(spec.ref)
        again = before and before.about == (spec, life) and before.until + LAST_BACKOFF > time.monotonic()
        wait = min(before.wait * 2, LAST_BACKOFF) if before and again else FIRST_BACKOFF
        self._failures[spec.ref] = _Failure((spec, life), wait, time.monotonic() + wait, message)

    def _life(self, cluster: Path) -> str:
        """Tells one start of the cluster from the next. Raises RestFailed when it does not run."""
        lock = cluster / f"{SOCKET_NAME}.lock"
        try:
            seen = lock.stat()
            known = self._lives.get(cluster)
            if known is None or known[0] != (seen.st_ino, seen.st_ctime_ns):  # it is touched every hour, too
                process, _, began, *_ = lock.read_text().splitlines()
                known = self._lives[cluster] = ((seen.st_ino, seen.st_ctime_ns), f"{process} {began}")
        except (FileNotFoundError, ValueError) as error:
            self._lives.pop(cluster, None)
            raise RestFailed("The project's database does not run.") from error
        return known[1]

    async def _sweep(self) -> None:
        while self._servers:
            await asyncio.sleep(min(self._idle / 4, 5.0))
            now = time.monotonic()
            for ref, server in list(self._servers.items()):
                if not server.leases and now - server.used > self._idle:
                    log.info("REST server of project %s: nobody asks, it ends", ref)
                    self._retire(server)
            for ref, failure in list(self._failures.items()):
                if failure.until + LAST_BACKOFF < now:
                    del self._failures[ref]
        self._sweeper = None

    def running(self, ref: str) -> int:
        server = self._servers.get(ref)
        return int(server is not None and server.is_running())

    async def stop(self, ref: str) -> None:
        if server := self._servers.pop(ref, None):
            server.retired = True
            await server.end()

    async def close(self) -> None:
        """End all of them."""
        if self._sweeper:
            self._sweeper.cancel()
            self._sweeper = None
        await asyncio.gather(*(self.stop(ref) for ref in list(self._servers)), *self._tasks)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def _records(self) -> Path:
        return self._layout.root / "rest"
