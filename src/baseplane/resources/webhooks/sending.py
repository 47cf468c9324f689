"""What of one project's queue is in memory: on its way, waiting behind what is, or done and not yet written down.

Webhooks go to each URL one after the other, in the order in which they were queued; while one waits to be tried again,
those behind it wait too. Everything else goes at once.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence

from baseplane.drivers.outbound import Outbound
from baseplane.resources.webhooks.attempt import attempt
from baseplane.resources.webhooks.outbox import Again, Done, Queued
from baseplane.resources.webhooks.places import Places

WINDOW = 256
"""Requests in memory."""
LANE = 64
"""Of these, webhooks to one URL."""
UNRECORDED = 32
"""Requests that are on their way or whose answers are not yet written down."""


class Sending:
    """``wake`` is called when there is something to write down."""

    def __init__(self, sender: Outbound, places: Places, wake: Callable[[], None]) -> None:
        self.sender = sender
        self.places = places
        self.wake = wake
        self.known: set[int] = set()
        self.outcomes: list[tuple[Queued, Done | Again]] = []
        self.closed: dict[str, float] = {}
        """URLs that are left alone for now, and until when."""
        self._lanes: dict[str, deque[Queued]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._unrecorded = asyncio.Semaphore(UNRECORDED)
        self._error: BaseException | None = None

    @property
    def room(self) -> int:
        return WINDOW - len(self.known)

    def full(self) -> list[str]:
        """URLs of which there is enough in memory."""
        return [url for url, lane in self._lanes.items() if len(lane) >= LANE]

    def reopen(self) -> bool:
        """Forget what is closed no longer; tells whether there was any."""
        due = [url for url, until in self.closed.items() if until <= time.monotonic()]
        for url in due:
            del self.closed[url]
        return bool(due)

    def take(self, found: Sequence[Queued]) -> None:
        """Send these, or let them wait for those before them."""
        for queued in found:
            if not queued.is_hook or queued.url is None:
                self.known.add(queued.id)
                self._spawn(self._send(queued))
            elif queued.url in self.closed:
                continue
            elif queued.url in self._lanes:
                self.known.add(queued.id)
                self._lanes[queued.url].append(queued)
            elif queued.wait > 0:
                self.closed[queued.url] = time.monotonic() + queued.wait
            else:
                self.known.add(queued.id)
                self._lanes[queued.url] = deque([queued])
                self._spawn(self._send_in_order(queued.url))

    def recorded(self, written: Sequence[tuple[Queued, Done | Again]]) -> None:
        """These are in the database: the next may go."""
        for queued, outcome in written:
            self.known.discard(queued.id)
            self._unrecorded.release()
            if isinstance(outcome, Again) and queued.url is not None:
                self.closed[queued.url] = time.monotonic() + outcome.wait

    def check(self) -> None:
        """Raises what a task of ours broke off with."""
        if self._error:
            raise self._error

    def stop(self) -> None:
        """Break off. Whoever sends for this project next sends again what is not written down."""
        for task in self._tasks:
            task.cancel()

    async def _send_in_order(self, url: str) -> None:
        lane = self._lanes[url]
        while lane:
            queued = lane.popleft()
            if isinstance(await self._send(queued), Again):
                self.closed[url] = math.inf  # until it is written down when it is due
                self.known.difference_update(behind.id for behind in lane)
                break
        del self._lanes[url]

    async def _send(self, queued: Queued) -> Done | Again:
        await self._unrecorded.acquire()
        async with self.places.one():
            outcome = await attempt(self.sender, queued)
        self.outcomes.append((queued, outcome))
        self.wake()
        return outcome

    def _spawn(self, work: Coroutine[None, None, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._error = error
            self.wake()
