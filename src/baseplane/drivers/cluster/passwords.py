"""Passwords of roles inside a cluster."""

from typing import Any

import psycopg
from psycopg import sql


async def set_password(db: psycopg.AsyncConnection[Any], role: str, password: str) -> None:
    """Only the SCRAM verifier travels, so that no log and no statistics view ever holds the password."""
    verifier = db.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    await db.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier)))
