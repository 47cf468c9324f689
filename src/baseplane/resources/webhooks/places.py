"""How many requests may be on their way: of one project, and of all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

EVERYWHERE = 256
HERE = 16


class Places:
    """One project's share. One place is its own, whatever the others do; the rest it takes from ``everywhere``."""

    def __init__(self, everywhere: asyncio.Semaphore) -> None:
        self._everywhere = everywhere
        self._here = asyncio.Semaphore(HERE)
        self._own_is_free = True

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        async with self._here:
            if not self._own_is_free:
                async with self._everywhere:
                    yield
                return
            self._own_is_free = False
            try:
                yield
            finally:
                self._own_is_free = True
