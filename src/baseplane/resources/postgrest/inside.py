"""What the REST server finds inside the project's database: its login, and the settings that were chosen for it."""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from baseplane.database import value
from baseplane.drivers.cluster import Role
from baseplane.errors import Invalid, Unavailable
from baseplane.resources.postgrest.store import RestSettings
from baseplane.runtime import Runtime

Connection = psycopg.AsyncConnection[Any]

LOGIN = "authenticator"
PREPARING = 0x7265_7374
"""Advisory lock in the tenant's database: one process changes the role at a time."""

SYSTEM = frozenset(
    {
        *("auth", "cron", "extensions", "graphql", "information_schema", "net", "pgbouncer", "pgsodium"),
        *("pgsodium_masks", "realtime", "supabase_functions", "supabase_migrations", "vault"),
    }
)
"""Schemas that are not for the Data API, as are all that begin with pg_."""


def password(secret: str) -> str:
    """Of the login, derived from the secret of the platform's own roles."""
    return hmac.digest(secret.encode(), LOGIN.encode(), hashlib.sha256).hex()


async def prepare(rt: Runtime, ref: str, secret: str, chosen: RestSettings | None) -> None:
    """Make it ready for a server that is about to start; what was ``chosen`` holds again, whatever SQL did since.

    Raises ClusterMissing, Unavailable.
    """
    try:
        async with rt.clusters.connect(ref, Role.ADMIN, secret) as db, db.transaction():
            await db.execute("select pg_advisory_xact_lock(%s)", [PREPARING])
            verifier = db.pgconn.encrypt_password(password(secret).encode(), LOGIN.encode(), b"scram-sha-256").decode()
            await db.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(LOGIN), sql.Literal(verifier)))
            if chosen:
                await _set(db, chosen)
    except psycopg.Error as error:
        raise Unavailable(f"The project's database could not be prepared for the Data API: {error}") from error


async def apply(rt: Runtime, ref: str, secret: str, chosen: RestSettings) -> None:
    """Let servers that run take what was ``chosen``. Raises ClusterMissing, Unavailable, psycopg.Error."""
    async with rt.clusters.connect(ref, Role.ADMIN, secret) as db, db.transaction():
        await db.execute("select pg_advisory_xact_lock(%s)", [PREPARING])
        await _set(db, chosen)
        await db.execute("notify pgrst, 'reload config'")
        await db.execute("notify pgrst, 'reload schema'")


async def _set(db: Connection, chosen: RestSettings) -> None:
    for name, text in _parameters(chosen):
        await db.execute(
            sql.SQL("alter role {} set {} = {}").format(
                sql.Identifier(LOGIN), sql.Identifier(*name.split(".")), sql.Literal(text)
            )
        )


def _parameters(chosen: RestSettings) -> Iterator[tuple[str, str]]:
    if chosen.schemas:
        yield "pgrst.db_schemas", ",".join(chosen.schemas)
    yield "pgrst.db_extra_search_path", ",".join(chosen.extra_search_path)
    yield "pgrst.db_max_rows", str(chosen.max_rows)


async def check(db: Connection, settings: RestSettings) -> None:
    """Raises Invalid naming schemas that are not there, or not to be served."""
    there: list[str] = await value(db, "select array_agg(nspname::text order by nspname) from pg_catalog.pg_namespace")
    for field, wanted in (("db_schema", settings.schemas), ("db_extra_search_path", settings.extra_search_path)):
        if missing := [name for name in wanted if name not in there]:
            known = ", ".join(name for name in there if not _is_system(name))
            raise Invalid(f"{field}: this project's database has no schema {_list(missing)}. It has: {known}.")
    if refused := [name for name in settings.schemas if _is_system(name)]:
        raise Invalid(
            f"db_schema: {_list(refused)} belongs to the system and is not served. Make a view or a function of what"
            " you need in a schema of your own."
        )


def _is_system(name: str) -> bool:
    return name in SYSTEM or name.startswith("pg_")


def _list(found: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in found)
