"""The Postgres door from outside, as users reach it."""

from dataclasses import dataclass
from pathlib import Path

import psycopg

from baseplane.errors import Unavailable

WITHIN = 10  # seconds to connect


@dataclass(frozen=True, slots=True)
class PublicDoor:
    """``ca`` is the certificate authority that the door's certificate must come from."""

    host: str
    port: int
    ca: Path

    async def probe(self, ref: str, role: str, password: str) -> None:
        """Ask project ``ref`` something as ``role``, over TLS. Raises Unavailable with what was in the way."""
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
