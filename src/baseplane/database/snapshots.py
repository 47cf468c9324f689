"""Snapshots of what one process reads again and again, by project, kept as long as they are true.

A snapshot is used only while the platform database has shown within a second that it would have told of a change. When
it has not, every request reads anew: what was revoked never gets in because somebody did not hear of it.
"""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import psycopg

from baseplane.database import Connection, Database
from baseplane.errors import Unavailable

log = logging.getLogger(__name__)

Snapshot = TypeVar("Snapshot")
Kept = TypeVar("Kept")
Read = Callable[[Connection, str], Awaitable[Snapshot | None]]

HEARTBEAT = 0.25
"""Seconds between two proofs that we hear."""
BELIEVED = 0.75
"""Seconds after a proof in which snapshots are believed."""
READ_WITHIN = 5.0
MOST = 5000
"""Projects that are remembered, and refs of which is known that there is nothing: those may be anybody's invention."""


def _nothing(_ref: str) -> None: ...


class Snapshots(Generic[Snapshot]):
    """``channel`` is where the platform database tells the ref of a project of which something has changed; ``heard``
    is called with it as well. ``read`` gives None where there is nothing.
    """

    def __init__(
        self, database: Database, channel: str, read: Read[Snapshot], heard: Callable[[str], None] = _nothing
    ) -> None:
        self._database = database
        self._channel = channel
        self._reader = read
        self._heard = heard
        self._known: OrderedDict[str, Snapshot] = OrderedDict()
        self._unknown: OrderedDict[str, None] = OrderedDict()
        self._reading: dict[str, asyncio.Task[Snapshot | None]] = {}
        self._proven = float("-inf")
        self._news = asyncio.Event()

    async def get(self, ref: str) -> Snapshot | None:
        """Raises Unavailable."""
        if self._is_believed():
            if ref in self._known:
                self._known.move_to_end(ref)
                return self._known[ref]
            if ref in self._unknown:
                return None
        reading = self._reading.get(ref)
        if reading is None:
            reading = self._reading[ref] = asyncio.create_task(self._read(ref))
        return await asyncio.shield(reading)

    async def caught_up(self, ref: str, seen: Snapshot | None) -> Snapshot | None:
        """What there is once all has been heard that was committed before this call; ``seen`` is what ``get`` gave.

        This costs no query, so strangers may cause it as often as they like, but up to ``HEARTBEAT``. Raises Unavailable.
        """
        if not self._is_believed():
            return seen  # it was read for this request
        asked = time.monotonic()
        while self._is_believed() and self._proven < asked and self._keeps(ref, seen):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BELIEVED):
                    await self._news.wait()
        return await self.get(ref)

    def _is_believed(self) -> bool:
        return self._proven + BELIEVED > time.monotonic()

    def _keeps(self, ref: str, seen: Snapshot | None) -> bool:
        return ref in self._unknown if seen is None else self._known.get(ref) is seen

    async def _read(self, ref: str) -> Snapshot | None:
        me = asyncio.current_task()
        try:
            async with asyncio.timeout(READ_WITHIN), self._database.connection() as db:
                found = await self._reader(db, ref)
        except (psycopg.Error, TimeoutError) as error:
            raise Unavailable("The platform database does not answer. Try again.") from error
        else:
            if self._reading.get(ref) is me:  # else a change was heard of meanwhile
                self._keep(ref, found)
            return found
        finally:
            if self._reading.get(ref) is me:
                del self._reading[ref]

    def _keep(self, ref: str, found: Snapshot | None) -> None:
        if found is None:
            _put(self._unknown, ref, None)
        else:
            _put(self._known, ref, found)

    def forget(self, ref: str | None = None) -> None:
        """Read again what is asked for next: of one project, or of all."""
        if ref is None:
            self._known.clear()
            self._unknown.clear()
            self._reading.clear()
        else:
            self._known.pop(ref, None)
            self._unknown.pop(ref, None)
            self._reading.pop(ref, None)
        self._tell()

    def _prove(self, at: float) -> None:
        self._proven = at
        self._tell()

    def _tell(self) -> None:
        """Let those go on who wait for news."""
        self._news.set()
        self._news = asyncio.Event()

    def _hear(self, ref: str) -> None:
        self.forget(ref)
        self._heard(ref)

    async def attend(self) -> None:
        """Hear of changes, until cancelled."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, TimeoutError) as error:
                log.warning("listening on %s failed: %s", self._channel, error)
            self._prove(float("-inf"))
            await asyncio.sleep(HEARTBEAT)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._database.url, autocommit=True) as connection:
            await connection.execute(f"listen {self._channel}".encode())
            self.forget()
            while True:
                asked = time.monotonic()
                async with asyncio.timeout(BELIEVED):
                    await connection.execute("select")  # what was committed before this arrives before its answer
                async for notification in connection.notifies(timeout=0):
                    self._hear(notification.payload)
                self._prove(asked)
                async for notification in connection.notifies(timeout=HEARTBEAT):
                    self._hear(notification.payload)


def _put(known: OrderedDict[str, Kept], ref: str, found: Kept) -> None:
    known[ref] = found
    known.move_to_end(ref)
    while len(known) > MOST:
        known.popitem(last=False)
