"""The platform database: connections, transactions, and rows as frozen dataclasses."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString, Self, TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from baseplane.database.batches import Batches, Found, Key, ReadMany
from baseplane.errors import NotFound, Unavailable

Connection = psycopg.AsyncConnection[Any]
Params = Sequence[object] | Mapping[str, object]
Row = TypeVar("Row")


class Database:
    """A pool of connections to the platform database."""

    def __init__(self, url: str, *, max_size: int = 10) -> None:
        self.url = url
        self.pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url, min_size=1, max_size=max_size, timeout=10, open=False, configure=_configure
        )
        self._batches: dict[object, Batches[Any, Any]] = {}

    async def __aenter__(self) -> Self:
        await self.pool.open(wait=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection in autocommit. Raises Unavailable."""
        try:
            connection = await self.pool.getconn()
        except PoolTimeout as error:
            raise Unavailable("The platform database does not answer.") from error
        try:
            yield connection
        finally:
            await self.pool.putconn(connection)

    @asynccontextmanager
    async def alone(self, lock: int) -> AsyncIterator[bool]:
        """Hold this advisory lock, or be told that another session does. Raises Unavailable."""
        async with self.connection() as connection:
            is_alone = bool(await value(connection, "select pg_try_advisory_lock(%s)", [lock]))
            try:
                yield is_alone
            finally:
                if is_alone:
                    await connection.execute("select pg_advisory_unlock(%s)", [lock])

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection inside a transaction that commits at the end, or rolls back on an error."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def look_up(self, read: ReadMany[Key, Found], key: Key) -> Found | None:
        """What ``read`` finds of ``key``, by a statement shared with all who look up the same way at this moment.

        Raises psycopg.Error, Unavailable.
        """
        batches: Batches[Key, Found] | None = self._batches.get(read)
        if batches is None:
            batches = self._batches[read] = Batches(self.connection, read)
        return await batches.get(key)


async def _configure(connection: Connection) -> None:
    await connection.set_autocommit(True)


def storable(text: str) -> str:
    """What others said, as Postgres can keep it: no null character, no half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


async def rows(db: Connection, row: type[Row], query: LiteralString, params: Params = ()) -> list[Row]:
    async with db.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


async def maybe(db: Connection, row: type[Row], query: LiteralString, params: Params = ()) -> Row | None:
    async with db.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchone()


async def value(db: Connection, query: LiteralString, params: Params = ()) -> Any:
    """The first column of the first row; None without a row."""
    found = await (await db.execute(query, params)).fetchone()
    return found[0] if found else None


async def one(db: Connection, row: type[Row], query: LiteralString, params: Params = (), *, missing: str) -> Row:
    """Raises NotFound with the message ``missing``."""
    found = await maybe(db, row, query, params)
    if found is None:
        raise NotFound(missing)
    return found
