"""What a worker looks at again and again, whether or not a request asked for anything."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NoReturn

import psycopg

from baseplane.database import Connection, Database, value
from baseplane.errors import BaseplaneError

log = logging.getLogger(__name__)


async def repeat(look: Callable[[], Awaitable[object]], every: float, doing: str) -> NoReturn:
    """Look until cancelled, ``every`` seconds after the last look. One that fails is logged, and the next may succeed."""
    while True:
        try:
            await look()
        except (BaseplaneError, psycopg.Error, OSError) as error:
            log.warning("%s failed: %s", doing, error)
        await asyncio.sleep(every)


@contextlib.asynccontextmanager
async def alone(database: Database, lock: int) -> AsyncIterator[Connection | None]:
    """Hold an advisory lock meanwhile: gives the connection that holds it, or None where another worker does."""
    async with database.connection() as db:
        if not await value(db, "select pg_try_advisory_lock(%s)", [lock]):
            yield None
            return
        try:
            yield db
        finally:
            await db.execute("select pg_advisory_unlock(%s)", [lock])
