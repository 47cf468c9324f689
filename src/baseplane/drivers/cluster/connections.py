"""Connections to tenants' databases, kept for a while and lent again without a trace of the last borrower."""

import asyncio
import select
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """``cleaning`` tells whether the connection is fit to be lent again."""

    since: float
    connection: Connection
    cleaning: asyncio.Task[bool]


class Connections:
    def __init__(self) -> None:
        self._idle: defaultdict[tuple[Path, Role], list[_Kept]] = defaultdict(list)
        self._sweeper: asyncio.Task[None] | None = None

    async def take(self, sockets: Path, role: Role, new: Callable[[], Awaitable[Connection]]) -> Connection:
        """A kept connection, or a ``new`` one. Raises what that raises."""
        return await self._kept(sockets, role) or await new()

    async def _kept(self, sockets: Path, role: Role) -> Connection | None:
        kept = self._idle[sockets, role]
        while kept:
            entry = kept.pop()
            try:
                is_clean = await entry.cleaning
            except asyncio.CancelledError:
                _close(entry.connection)
                raise
            if is_clean and not entry.connection.closed and not _is_readable(entry.connection):
                return entry.connection
            _close(entry.connection)
        return None

    def give_back(self, sockets: Path, role: Role, connection: Connection) -> None:
        """Keep it for the next borrower, or close it. It is cleaned meanwhile: this one need not wait for that."""
        kept = self._idle[sockets, role]
        if connection.closed or connection.pgconn.transaction_status == TransactionStatus.ACTIVE or len(kept) >= KEEP:
            _close(connection)
            return
        kept.append(_Kept(time.monotonic(), connection, asyncio.create_task(_clean(connection))))
        self._sweeper = self._sweeper or asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        while any(self._idle.values()):
            await asyncio.sleep(IDLE / 4)
            old = time.monotonic() - IDLE
            for kept in self._idle.values():
                for entry in [entry for entry in kept if entry.since < old]:
                    kept.remove(entry)
                    _drop(entry)
        self._sweeper = None

    def forget(self, sockets: Path) -> None:
        """Close what is kept of this cluster."""
        for role in Role:
            for entry in self._idle.pop((sockets, role), []):
                _drop(entry)

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


async def _clean(connection: Connection) -> bool:
    """Leave no trace of the last borrower; tells whether none is left."""
    try:
        if connection.pgconn.transaction_status != TransactionStatus.IDLE:
            await connection.rollback()
        await connection.set_autocommit(True)
        await connection.execute("discard all")
    except psycopg.Error:
        return False
    return True


def _drop(kept: _Kept) -> None:
    kept.cleaning.cancel()
    _close(kept.connection)


def _close(connection: Connection) -> None:
    connection.pgconn.finish()
