"""Sending a caller's SQL over a borrowed connection: result by result, so that nothing fills our memory, and in time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import psycopg
from psycopg import generators, pq

from baseplane.errors import Invalid, TooLarge
from baseplane.resources.projects.inside import Connection

CHUNK = 100
"""Rows fetched at a time, so that an endless result never fills our memory."""
GRACE = 5.0
"""Seconds that Postgres has for ending a statement by its own timeout before we cancel it."""

Take = Callable[[pq.abc.PGresult], None]


@contextlib.asynccontextmanager
async def bounded(db: Connection, seconds: float, what: str = "the query") -> AsyncIterator[asyncio.Timeout]:
    """Cancel what a caller has freed from Postgres' own timeout, and what is not wanted any more.

    The deadline can be moved. Raises Invalid when it has passed.
    """
    try:
        async with asyncio.timeout(seconds + GRACE) as deadline:
            yield deadline
    except TimeoutError as error:
        await break_off(db)
        raise Invalid(f"ERROR: 57014: {what} took longer than {seconds:g} seconds", code="57014") from error
    except (asyncio.CancelledError, TooLarge):
        await break_off(db)
        raise


async def send(db: Connection, query: str, parameters: Sequence[bytes | None], take: Take) -> None:
    """Run one or several statements, those with ``parameters`` one; each result goes to ``take`` as it arrives.

    Rows come in chunks: TUPLES_CHUNK, and at the end of a statement TUPLES_OK. Raises psycopg.Error; Invalid for COPY
    from or to the client, after which the connection is closed.
    """
    connection = db.pgconn
    if parameters:
        connection.send_query_params(query.encode(), parameters)
    else:
        connection.send_query(query.encode())
    connection.set_chunked_rows_mode(CHUNK)
    await db.wait(generators.send(connection))
    while (result := await db.wait(generators.fetch(connection))) is not None:
        if result.status in (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH):
            await break_off(db)
            raise Invalid(
                "COPY from or to the client does not go through this operation; connect to the database for it."
            )
        if result.status == pq.ExecStatus.FATAL_ERROR:
            error = psycopg.errors.error_from_result(result)
            while await db.wait(generators.fetch(connection)) is not None:
                pass
            raise error
        take(result)


async def break_off(db: Connection) -> None:
    """Cancel what runs and throw the connection away: its rest is of no use."""
    with contextlib.suppress(psycopg.Error):
        await db.cancel_safe(timeout=5)
    db.pgconn.finish()
