"""Runs a caller's SQL, bounded in time, rows and bytes, and gives the last statement's rows as JSON."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
import psycopg
from psycopg import generators, pq

from baseplane.errors import Invalid, TooLarge
from baseplane.resources.projects.inside import Connection, refusal
from baseplane.resources.sql.values import Value, converter

CHUNK = 100
"""Rows fetched at a time, so that an endless result never fills our memory."""
GRACE = 5.0
"""Seconds that Postgres has for ending a statement by its own timeout before we cancel it."""

ALREADY_BEGUN = "25001"
"""active_sql_transaction, which BEGIN inside of a transaction warns of."""


@dataclass(frozen=True, slots=True)
class Limits:
    seconds: float
    rows: int
    bytes: int


async def run(
    db: Connection, query: str, parameters: Sequence[object] | None, *, read_only: bool, limits: Limits
) -> bytes:
    """The rows of the last statement that has any, as a JSON array of objects; ``[]`` if none has.

    Several statements are one transaction. Raises Invalid with SQLSTATE, position and hint, TooLarge, Unavailable.
    """
    if "\0" in query:
        raise Invalid("query: must not contain the null character")
    setup = f"set statement_timeout = {int(limits.seconds * 1000)};"
    try:
        try:
            with _notices(db) as notices:
                await db.execute(f"{setup} begin{' read only' if read_only else ''}".encode())
                answer = await _bounded(db, query, parameters, limits)
            return await _committed(db, answer, begun_by_caller=ALREADY_BEGUN in notices)
        except psycopg.errors.ActiveSqlTransaction:
            if db.pgconn.transaction_status != pq.TransactionStatus.INERROR:
                raise  # the caller has committed something: it must not happen twice
            await db.execute(f"rollback; {setup} set default_transaction_read_only = {read_only};".encode())
            return await _bounded(db, query, parameters, limits)  # VACUUM and its like run outside of transactions
    except psycopg.Error as error:
        raise refusal(error, query) from error
    except UnicodeDecodeError as error:
        raise Invalid("The answer is not UTF-8: leave client_encoding as it is.") from error


async def _committed(db: Connection, answer: bytes, *, begun_by_caller: bool) -> bytes:
    """Only an answer that can be given is committed: what is refused as too large has not happened.

    A caller who begins a transaction and does not end it gets what Postgres does at the end of a session: nothing.
    """
    if db.pgconn.transaction_status == pq.TransactionStatus.INTRANS:
        await db.execute("rollback" if begun_by_caller else "commit")
    return answer


@contextlib.contextmanager
def _notices(db: Connection) -> Iterator[set[str | None]]:
    """The SQLSTATEs of the notices that come meanwhile."""
    seen: set[str | None] = set()

    def note(said: psycopg.errors.Diagnostic) -> None:
        seen.add(said.sqlstate)

    db.add_notice_handler(note)
    try:
        yield seen
    finally:
        db.remove_notice_handler(note)


async def _bounded(db: Connection, query: str, parameters: Sequence[object] | None, limits: Limits) -> bytes:
    """Cancel what a caller has freed from Postgres' own timeout, and what is not wanted any more."""
    collector = _Collector(limits)
    try:
        async with asyncio.timeout(limits.seconds + GRACE):
            await _execute(db, query, parameters, collector)
    except TimeoutError as error:
        await _break_off(db)
        raise Invalid(f"ERROR: 57014: the query took longer than {limits.seconds:g} seconds", code="57014") from error
    except (asyncio.CancelledError, TooLarge):
        await _break_off(db)
        raise
    return collector.json()


async def _execute(db: Connection, query: str, parameters: Sequence[object] | None, collector: "_Collector") -> None:
    connection = db.pgconn
    if parameters:
        values = [_parameter(at, value) for at, value in enumerate(parameters)]
        connection.send_query_params(query.encode(), values)
    else:
        connection.send_query(query.encode())
    connection.set_chunked_rows_mode(CHUNK)
    await db.wait(generators.send(connection))
    while (result := await db.wait(generators.fetch(connection))) is not None:
        if result.status in (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH):
            await _break_off(db)
            db.pgconn.finish()
            raise Invalid(
                "COPY from or to the client does not go through this operation; connect to the database for it."
            )
        if result.status == pq.ExecStatus.FATAL_ERROR:
            error = psycopg.errors.error_from_result(result)
            while await db.wait(generators.fetch(connection)) is not None:
                pass
            raise error
        collector.take(result)


class _Collector:
    """Keeps the rows of the newest result that has columns."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rows: list[dict[str, Value]] = []
        self.size = 0
        self.is_open = False

    def take(self, result: pq.abc.PGresult) -> None:
        chunked = result.status == pq.ExecStatus.TUPLES_CHUNK
        if not chunked and result.status != pq.ExecStatus.TUPLES_OK:
            return
        if not self.is_open:
            self.rows, self.size = [], 0
        self.is_open = chunked  # TUPLES_OK, empty, ends the chunks of one statement
        if self.size + result.ntuples > 0:
            self.rows.extend(self._rows(result))

    def _rows(self, result: pq.abc.PGresult) -> Iterator[dict[str, Value]]:
        columns = [
            ((result.fname(at) or b"").decode(), at, converter(result.ftype(at))) for at in range(result.nfields)
        ]
        if len(self.rows) + result.ntuples > self.limits.rows:
            raise TooLarge(
                f"The query gives more than {self.limits.rows} rows; add a LIMIT, or connect to the database."
            )
        for row in range(result.ntuples):
            values: dict[str, Value] = {}
            for name, at, convert in columns:
                text = result.get_value(row, at)
                self.size += len(text or b"") + len(name) + 4
                values[name] = None if text is None else convert(text)
            if self.size > self.limits.bytes:
                megabytes = self.limits.bytes / 1024 / 1024
                raise TooLarge(f"The query gives more than {megabytes:g} MB; select less, or connect to the database.")
            yield values

    def json(self) -> bytes:
        return orjson.dumps(self.rows)


def _parameter(at: int, value: object) -> bytes | None:
    """As text whose type Postgres finds out; lists and objects as JSON, strings as they are. Raises Invalid."""
    if value is None:
        return None
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return str(value).encode()  # of any width
    try:
        text = value.encode() if isinstance(value, str) else orjson.dumps(value)
    except (UnicodeEncodeError, orjson.JSONEncodeError) as error:
        raise Invalid(f"parameters.{at}: cannot be sent to Postgres: {error}") from error
    if b"\0" in text:  # libpq would end the text there
        raise Invalid(f"parameters.{at}: must not contain the null character")
    return text


async def _break_off(db: Connection) -> None:
    """Cancel what runs and throw the connection away: its rest is of no use."""
    with contextlib.suppress(psycopg.Error):
        await db.cancel_safe(timeout=5)
    db.pgconn.finish()
