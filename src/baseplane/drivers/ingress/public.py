"""The Postgres door from outside, as users reach it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg

from baseplane.errors import Unavailable

WITHIN = 10  # seconds to connect


class PublicDoor(Protocol):
    """Whether users get in: the promise behind ACTIVE_HEALTHY."""

    async def probe(self, ref: str, role: str, password: str) -> None:
        """Ask project ``ref`` something as ``role``. Raises Unavailable with what was in the way."""


@dataclass(frozen=True, slots=True)
class TlsDoor:
    """The ingress, over TLS. ``ca`` is the certificate authority that the door's certificate must come from."""

    host: str
    port: int
    ca: Path

    async def probe(self, ref: str, role: str, password: str) -> None:
        try:
            async with await psycopg.AsyncConnection.connect(
                host=self.host,
                port=self.port,
                user=f"{role}.{ref}",
                password=password,
                dbname="postgres",
                sslmode="verify-ca",
                sslrootcert=str(self.ca),
                connect_timeout=WITHIN,
                application_name="baseplane probe",
                autocommit=True,
            ) as connection:
                await connection.execute("select 1")
        except psycopg.Error as error:
            reason = str(error).strip().splitlines()[-1].rpartition("FATAL:")[2].strip()
            raise Unavailable(f"Failed to connect to database: {reason or 'no answer'}") from error
