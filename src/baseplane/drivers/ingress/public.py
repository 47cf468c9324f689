"""The Postgres door from outside, as users reach it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from baseplane.drivers.ingress import startup
from baseplane.drivers.ingress.login import LoginReader
from baseplane.errors import Unavailable

WITHIN = 10  # seconds to connect


class PublicDoor(Protocol):
    """Whether users get in: the promise behind ACTIVE_HEALTHY."""

    async def probe(self, ref: str, role: str, password: str, *, pooled: bool = False) -> None:
        """Ask project ``ref``, or a read replica by its name, something as ``role``; by the transaction port if ``pooled``.

        Raises Unavailable with what was in the way.
        """

    async def takes_plaintext(self, ref: str, role: str) -> bool:
        """Whether ``role`` is asked for its password without TLS. Raises Unavailable when that cannot be told."""


@dataclass(frozen=True, slots=True)
class TlsDoor:
    """The ingress, over TLS. ``ca`` is the certificate authority that the door's certificate must come from."""

    host: str
    port: int
    pooler_port: int
    ca: Path

    async def connect(
        self, ref: str, role: str, password: str, *, pooled: bool = False
    ) -> psycopg.AsyncConnection[Any]:
        """Raises Unavailable."""
        try:
            return await psycopg.AsyncConnection.connect(
                host=self.host,
                port=self.pooler_port if pooled else self.port,
                user=f"{role}.{ref}",
                password=password,
                dbname="postgres",
                client_encoding="UTF8",
                sslmode="verify-ca",
                sslrootcert=str(self.ca),
                connect_timeout=WITHIN,
                application_name="baseplane",
                autocommit=True,
                prepare_threshold=None,
            )
        except psycopg.Error as error:
            raise _unavailable(error) from error

    async def probe(self, ref: str, role: str, password: str, *, pooled: bool = False) -> None:
        async with await self.connect(ref, role, password, pooled=pooled) as connection:
            try:
                await connection.execute("select 1")
            except psycopg.Error as error:
                raise _unavailable(error) from error

    async def takes_plaintext(self, ref: str, role: str) -> bool:
        try:
            async with asyncio.timeout(WITHIN):
                first = await self._first_answer(startup.login_request(f"{role}.{ref}"))
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise Unavailable(f"The Postgres door does not answer: {error or 'no answer in time'}") from error
        login = LoginReader()
        login.feed(first)
        if login.failure not in (None, startup.NOT_ALLOWED):
            raise Unavailable(f"The Postgres door lets nobody in at the moment: SQLSTATE {login.failure}")
        return login.failure is None

    async def _first_answer(self, request: bytes) -> bytes:
        """One whole message."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(request)
            head = await reader.readexactly(5)
            return head + await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
        finally:
            writer.close()


def _unavailable(error: psycopg.Error) -> Unavailable:
    """What a server says comes last, with its hint; without that the last line says why, those before say where."""
    text = str(error).strip()
    _, said, reason = text.rpartition("FATAL:")
    lines = reason.split() if said else text.splitlines()[-1:]
    return Unavailable(f"Failed to connect to database: {' '.join(lines) or 'no answer'}")
