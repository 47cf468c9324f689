"""Work in threads that ends when nobody waits for it any more: a step that ran out of time is undone right afterwards."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from baseplane.errors import Unavailable

Result = TypeVar("Result")


class Wanted:
    """Whether somebody still waits."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def guard(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks. Raises Unavailable between two of them once nobody waits."""
        for chunk in chunks:
            self.check()
            yield chunk

    def check(self) -> None:
        if self._ended.is_set():
            raise Unavailable("Nobody waits for this any more.")

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do it in a thread; when we are cancelled, return once it has ended."""
        task = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._ended.set()
            await asyncio.wait([task])
            task.exception()  # it was not wanted any more, whatever came of it
            raise
