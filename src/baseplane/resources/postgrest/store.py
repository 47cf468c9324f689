"""How a project's REST server is set: what its user chose, and what its compute size gives for the rest."""

from dataclasses import dataclass

from baseplane.database import Connection, maybe
from baseplane.drivers.cluster.sizes import SIZES

RESERVED = 10
"""Connections of the cluster that are not for the REST server: superusers' and the platform's own."""


@dataclass(frozen=True, slots=True)
class RestSettings:
    """The lists as they were sent. ``db_pool`` is in connections; None goes by the compute size.

    Without a ``db_schema`` the project has no Data API.
    """

    db_schema: str = "public,graphql_public"
    db_extra_search_path: str = "public,extensions"
    max_rows: int = 1000
    db_pool: int | None = None

    @property
    def schemas(self) -> tuple[str, ...]:
        return names(self.db_schema)

    @property
    def extra_search_path(self) -> tuple[str, ...]:
        return names(self.db_extra_search_path)


def names(joined: str) -> tuple[str, ...]:
    """As PostgREST reads them: there is no quoting, and so no schema whose name has a comma."""
    return tuple(dict.fromkeys(name.strip() for name in joined.split(",") if name.strip()))


async def find(db: Connection, ref: str) -> RestSettings | None:
    """None when nobody has set anything."""
    return await maybe(
        db,
        RestSettings,
        "select db_schema, db_extra_search_path, max_rows, db_pool from postgrest where project_ref = %s",
        [ref],
    )


async def write(db: Connection, ref: str, settings: RestSettings) -> None:
    await db.execute(
        "insert into postgrest (project_ref, db_schema, db_extra_search_path, max_rows, db_pool)"
        " values (%s, %s, %s, %s, %s) on conflict (project_ref) do update set db_schema = excluded.db_schema,"
        " db_extra_search_path = excluded.db_extra_search_path, max_rows = excluded.max_rows,"
        " db_pool = excluded.db_pool",
        [ref, settings.db_schema, settings.db_extra_search_path, settings.max_rows, settings.db_pool],
    )


async def inherit(db: Connection, ref: str, source: str) -> None:
    """Let a new project's REST server be set as that of ``source``."""
    await db.execute(
        "insert into postgrest (project_ref, db_schema, db_extra_search_path, max_rows, db_pool)"
        " select %s, db_schema, db_extra_search_path, max_rows, db_pool from postgrest where project_ref = %s",
        [ref, source],
    )


def default_pool(size: str) -> int:
    """A sixth of the cluster's connections; they are opened when they are needed, and closed when idle."""
    return SIZES[size].max_connections // 6


def largest_pool(size: str) -> int:
    return SIZES[size].max_connections - RESERVED
