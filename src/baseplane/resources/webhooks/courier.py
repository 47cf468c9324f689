"""Serves one project's queue: fetches, has it sent, writes down what came of it, and sleeps.

One courier serves a project at a time, over one connection to its database. All that it knows and the database does not
is which requests are on their way: whoever comes after its death sends these again.
"""

import asyncio
import time

from baseplane.drivers.outbound import Outbound
from baseplane.resources.projects.inside import Connection
from baseplane.resources.webhooks import outbox
from baseplane.resources.webhooks.outbox import Again, Done
from baseplane.resources.webhooks.places import Places
from baseplane.resources.webhooks.sending import Sending

LINGER = 0.02
"""Seconds that it stays awake with nothing to do: a busy database then need not notify."""
OPEN_TRANSACTION = 0.1
"""Seconds between two looks while a transaction that has queued something is open."""
LOOK_ANYWAY = 60.0
"""Seconds that it sleeps at most; then it cleans up too."""
MAX_CLOSED = 1000
"""URLs that may wait to be tried again; with more of them, nothing is fetched."""


class Courier:
    def __init__(self, sender: Outbound, places: Places) -> None:
        self.event = asyncio.Event()
        self.sending = Sending(sender, places, self.event.set)
        self.is_behind = True
        """There may be something in the database that is not in memory."""
        self.is_asleep = False
        self.cleaned = -LOOK_ANYWAY

    async def serve(self, db: Connection) -> bool:
        """Until cancelled; False at once when another courier serves this project.

        Raises psycopg.Error, NotOursError. After an error of the connection it can be called again with a new one, and
        goes on where it was.
        """
        if not await outbox.lead(db):
            return False
        db.add_notify_handler(self._hear)
        await outbox.listen(db)
        self.is_behind, self.is_asleep = True, False
        while True:
            self.event.clear()
            await self._record(db)
            if await self._fetch(db):
                continue
            await self._rest(db)

    def stop(self) -> None:
        self.sending.stop()

    def _hear(self, _: object) -> None:
        self.is_behind = True
        self.event.set()

    async def _record(self, db: Connection) -> None:
        self.sending.check()
        taken = self.sending.outcomes[:]
        if not taken:
            return
        done = [outcome for _, outcome in taken if isinstance(outcome, Done)]
        again = [outcome for _, outcome in taken if isinstance(outcome, Again)]
        await outbox.record(db, done, again)
        del self.sending.outcomes[: len(taken)]
        self.sending.recorded(taken)
        if not self.is_asleep:
            self.is_behind = True

    async def _fetch(self, db: Connection) -> bool:
        """Take what is new into memory; tells whether there was any, and stays awake then."""
        full = self.sending.full()
        self.is_behind |= self.sending.reopen()
        room, closed = self.sending.room, [*self.sending.closed, *full]
        if not self.is_behind or not room or len(closed) > MAX_CLOSED:
            return False
        self.is_behind = False
        found = await outbox.fetch(db, known=self.sending.known, closed=closed, limit=room)
        self.sending.take(found)
        self.is_behind = bool(found or full)
        if found and self.is_asleep:
            await outbox.wake_up(db)
            self.is_asleep = False
        return bool(found)

    async def _rest(self, db: Connection) -> None:
        """Until there is something to do; deeper each time that there was nothing."""
        if not self.sending.room or self.sending.full():
            await self.event.wait()
        elif self.is_asleep:
            await self._sleep(db)
        elif not await self._wait(db, LINGER):
            self.is_behind = True
            if not await self._fetch(db):
                self.is_asleep = await outbox.fall_asleep(db)
                self.is_behind = True  # what was committed before we were seen to sleep
                if not self.is_asleep:
                    await self._wait(db, OPEN_TRANSACTION)

    async def _sleep(self, db: Connection) -> None:
        now = time.monotonic()
        if self.cleaned + LOOK_ANYWAY <= now:
            self.cleaned, self.is_behind = now, True
            await outbox.clean(db)
            return
        until = min([self.cleaned + LOOK_ANYWAY, *self.sending.closed.values()])
        await self._wait(db, until - now)

    async def _wait(self, db: Connection, seconds: float) -> bool:
        """Until something comes back from outside or from the database, the end of the connection included."""
        loop, descriptor = asyncio.get_running_loop(), db.fileno()

        def heard() -> None:
            loop.remove_reader(descriptor)
            self._hear(None)

        loop.add_reader(descriptor, heard)
        try:
            async with asyncio.timeout(seconds):
                return await self.event.wait()
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(descriptor)
