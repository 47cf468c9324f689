"""The Postgres door from outside, as users reach it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from baseplane.errors import Unavailable

WITHIN = 10  # seconds to connect


class PublicDoor(Protocol):
    """Whether users get in: the promise behind ACTIVE_HEALTHY."""

    async def probe(self, ref: str, role: str, password: str, *, pooled: bool = False) -> None:
        """Ask project ``ref`` something as ``role``, by the transaction port if ``pooled``.

        Raises Unavailable with what was in the way.
        """


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


def _unavailable(error: psycopg.Error) -> Unavailable:
    """The last refusal says why; what stands before it says where, which the caller knows, and below it are hints."""
    lines = [line.rpartition("FATAL:")[2].strip() for line in str(error).splitlines() if "FATAL:" in line]
    return Unavailable(f"Failed to connect to database: {lines[-1] if lines else 'no answer'}")
