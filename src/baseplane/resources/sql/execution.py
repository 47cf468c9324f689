"""Runs a caller's SQL, bounded in time, rows and bytes, and gives the last statement's rows as JSON."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
import psycopg
from psycopg import pq

from baseplane.errors import Invalid, TooLarge
from baseplane.resources.projects.inside import Connection, refusal
from baseplane.resources.projects.queries import bounded, send
from baseplane.resources.sql.values import Value, converter

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
    values = [_parameter(at, value) for at, value in enumerate(parameters or ())]
    collector = _Collector(limits)
    async with bounded(db, limits.seconds):
        await send(db, query, values, collector.take)
    return collector.json()


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
