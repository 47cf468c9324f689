"""Connections to tenants' databases, kept for a while and lent again without a trace of the last borrower."""

import asyncio
import select
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from baseplane.drivers.cluster import Role
from baseplane.errors import Unavailable

Connection = psycopg.AsyncConnection[Any]

KEEP = 2
"""Idle connections kept per cluster and role."""
IDLE = 20.0
"""Seconds after which a kept connection is closed, so that an idle project stays small."""
CONNECT_WITHIN = 5


class Connections:
    def __init__(self) -> None:
        self._idle: defaultdict[tuple[Path, Role], list[tuple[float, Connection]]] = defaultdict(list)
        self._sweeper: asyncio.Task[None] | None = None

    async def take(self, sockets: Path, role: Role, new: Callable[[], Awaitable[Connection]]) -> Connection:
        """A kept connection, or a ``new`` one. Raises what that raises."""
        return self._kept(sockets, role) or await new()

    def _kept(self, sockets: Path, role: Role) -> Connection | None:
        kept = self._idle[sockets, role]
        while kept:
            _, connection = kept.pop()
            if not connection.closed and not _is_readable(connection):
                return connection
            _close(connection)
        return None

    async def give_back(self, sockets: Path, role: Role, connection: Connection) -> None:
        """Keep it for the next borrower, clean, or close it."""
        kept = self._idle[sockets, role]
        try:
            if (
                connection.closed
                or connection.pgconn.transaction_status == TransactionStatus.ACTIVE
                or len(kept) >= KEEP
            ):
                raise psycopg.OperationalError
            if connection.pgconn.transaction_status != TransactionStatus.IDLE:
                await connection.rollback()
            await connection.set_autocommit(True)
            await connection.execute("discard all")
        except psycopg.Error:
            _close(connection)
        else:
            kept.append((time.monotonic(), connection))
            self._sweeper = self._sweeper or asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        while any(self._idle.values()):
            await asyncio.sleep(IDLE / 4)
            old = time.monotonic() - IDLE
            for kept in self._idle.values():
                for entry in [entry for entry in kept if entry[0] < old]:
                    kept.remove(entry)
                    _close(entry[1])
        self._sweeper = None

    def forget(self, sockets: Path) -> None:
        """Close what is kept of this cluster."""
        for role in Role:
            for _, connection in self._idle.pop((sockets, role), []):
                _close(connection)

    def close(self) -> None:
        for sockets, _ in list(self._idle):
            self.forget(sockets)
        if self._sweeper:
            self._sweeper.cancel()
            self._sweeper = None


async def connect(sockets: Path, role: Role, secret: str, database: str = "postgres") -> Connection:
    """Open a new connection. Raises Unavailable."""
    try:
        return await psycopg.AsyncConnection.connect(
            host=str(sockets),
            user=role,
            password=secret,
            dbname=database,
            client_encoding="UTF8",  # the tenant may have set another for his database
            application_name="baseplane",
            connect_timeout=CONNECT_WITHIN,
            autocommit=True,
            prepare_threshold=None,
        )
    except psycopg.OperationalError as error:
        raise Unavailable(f"The project's database does not take connections: {_reason(error)}") from error


def _reason(error: psycopg.Error) -> str:
    """The last line says why; those before say where, which is none of a caller's business."""
    _, said, reason = str(error).strip().rpartition("FATAL:")
    return reason.strip() if said else "no answer"


def _is_readable(connection: Connection) -> bool:
    """An idle connection that has something to say was ended by the server."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


def _close(connection: Connection) -> None:
    connection.pgconn.finish()
