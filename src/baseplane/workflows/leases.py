"""Who carries on which subject: a session of the platform database holds a lock while its worker does.

The session ends with its process, so the lock says who lives. A heartbeat does not: under load a worker's may be late,
and who took over its runs then would do the same steps beside it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NoReturn

from baseplane.database import Connection, Database, value

LOOK = 1.0
"""Seconds between two looks whether the session is still there."""
SILENCE = "set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3"
"""Postgres gives up the session of a machine that is gone after some 10 s."""
_KEY = "hashtextextended(%s, 7310601)"


class Leases:
    """One worker's, while its session is ``open``."""

    def __init__(self) -> None:
        self._session: Connection | None = None
        self._closing = AsyncExitStack()
        self._openings = 0
        self._one_at_a_time = asyncio.Lock()
        self._held: set[str] = set()

    @asynccontextmanager
    async def open(self, database: Database) -> AsyncIterator[None]:
        """Whoever comes while it is open shares it."""
        async with self._one_at_a_time:
            if self._session is None:
                session = await self._closing.enter_async_context(database.connection())
                await session.execute(SILENCE)
                self._session = session
            self._openings += 1
        try:
            yield
        finally:
            self._openings -= 1
            if not self._openings:
                self._session = None
                await self._closing.aclose()

    async def keep(self) -> NoReturn:
        """Until the session is lost, with everything that it held. Raises psycopg.OperationalError."""
        while True:
            if self._session is not None:
                await self._session.execute("select 1")
            await asyncio.sleep(LOOK)

    @asynccontextmanager
    async def hold(self, subject: str) -> AsyncIterator[bool]:
        """Keep everybody else from carrying it on; False where somebody else does. Raises psycopg.OperationalError."""
        assert self._session is not None
        if subject in self._held:  # a session may take its own lock again
            yield False
            return
        self._held.add(subject)
        try:
            held = bool(await value(self._session, f"select pg_try_advisory_lock({_KEY})", [subject]))
            try:
                yield held
            finally:
                if held:
                    await self._session.execute(f"select pg_advisory_unlock({_KEY})", [subject])
        finally:
            self._held.discard(subject)


async def is_free(db: Connection, subject: str) -> bool:
    """Whether nobody who lives carries it on; ``db`` is no worker's session of leases."""
    query = f"select pg_try_advisory_lock({_KEY}) and pg_advisory_unlock({_KEY})"
    return bool(await value(db, query, [subject, subject]))
