"""Look-ups that wait at the same time share one statement.

A statement begins after all whom it answers have asked, so each of them sees what was committed before: nothing is
remembered, and nothing can be out of date.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import psycopg

from baseplane.errors import Unavailable

Key = TypeVar("Key")
Found = TypeVar("Found")
Connection = psycopg.AsyncConnection[Any]
ReadMany = Callable[[Connection, Sequence[Key]], Awaitable[Mapping[Key, Found]]]

MOST = 200
"""Keys of one statement."""
READ_WITHIN = 10.0
"""Seconds; one statement runs at a time, and one that hangs holds up those who come after it."""


@dataclass(slots=True)
class _Batch(Generic[Key, Found]):
    keys: list[Key] = field(default_factory=list)
    reading: asyncio.Task[Mapping[Key, Found]] | None = None


class Batches(Generic[Key, Found]):
    """``read`` gives what it found of several keys; ``connection`` lends it one."""

    def __init__(
        self, connection: Callable[[], AbstractAsyncContextManager[Connection]], read: ReadMany[Key, Found]
    ) -> None:
        self._connection = connection
        self._read = read
        self._turn = asyncio.Lock()
        self._gathering: _Batch[Key, Found] | None = None

    async def get(self, key: Key) -> Found | None:
        """None where there is nothing. Raises psycopg.Error, Unavailable."""
        batch = self._gathering
        if batch is None or len(batch.keys) >= MOST:
            batch = self._gathering = _Batch()
            batch.reading = asyncio.create_task(self._answer(batch))
        batch.keys.append(key)
        assert batch.reading is not None
        return (await asyncio.shield(batch.reading)).get(key)  # others wait for it, too

    async def _answer(self, batch: _Batch[Key, Found]) -> Mapping[Key, Found]:
        try:
            async with self._turn, asyncio.timeout(READ_WITHIN), self._connection() as db:
                if self._gathering is batch:
                    self._gathering = None  # who comes now may have been told of what is committed from here on
                return await self._read(db, list(set(batch.keys)))
        except TimeoutError as error:
            raise Unavailable("The platform database does not answer. Try again.") from error
