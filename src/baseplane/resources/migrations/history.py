"""The history of migrations in a project's database: the official CLI's table, and all SQL on it.

The table is the tenant's: it may be gone, a view, of other types, with triggers. Everything here runs as role postgres and
raises psycopg.Error for what cannot be read or written; ``told`` turns that into an answer.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
import psycopg

from baseplane.errors import Conflict, Invalid, TooLarge
from baseplane.resources.projects.inside import Connection, refusal

TABLE = "supabase_migrations.schema_migrations"
TEXTS = ("version", "name", "created_by", "idempotency_key")
LISTS = ("statements", "rollback")
# As the CLI makes it, with what the hosted platform adds; CLI statements name the columns they know.
TABLE_SQL = f"""
    create schema if not exists supabase_migrations;
    create table if not exists {TABLE} (version text primary key, statements text[], name text);
    alter table {TABLE}
      add column if not exists statements text[],
      add column if not exists name text,
      add column if not exists created_by text,
      add column if not exists idempotency_key text unique,
      add column if not exists rollback text[];
"""


@dataclass(frozen=True, slots=True)
class Migration:
    version: str
    name: str | None = None
    statements: list[str] | None = None
    rollback: list[str] | None = None
    created_by: str | None = None
    idempotency_key: str | None = None

    @property
    def title(self) -> str:
        return f"{self.version} ({self.name})" if self.name else self.version


@contextlib.contextmanager
def told(outcome: str = "") -> Iterator[None]:
    """What Postgres says of the history becomes Conflict or Invalid, with ``outcome``; a lost connection Unavailable."""
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(f"The history has it already: {error.diag.message_detail}{outcome}") from error
    except psycopg.Error as error:
        said = refusal(error, "")
        if not isinstance(said, Invalid):
            raise type(said)(said.message + outcome) from error
        reason = f"ERROR: {error.diag.sqlstate}: {error.diag.message_primary}"
        is_shape = (error.diag.sqlstate or "").startswith("428")
        hint = " It should be a table of version text primary key, statements text[], name text." if is_shape else ""
        message = f"The migration history, {TABLE}, cannot be used as it is: {reason}.{outcome}{hint}"
        raise Invalid(message, code=error.diag.sqlstate) from error


async def ensure(db: Connection) -> None:
    """Make the table, or add the columns it lacks. It is not locked when there is nothing to do."""
    if not {*TEXTS, *LISTS} <= await _columns(db):
        await db.execute(TABLE_SQL.encode())


async def find(
    db: Connection, where: str, parameters: Sequence[str], columns: Sequence[str], max_bytes: int
) -> list[Migration]:
    """Those for which ``where`` holds, by version; none where there is no table. Raises TooLarge.

    The answer comes as one value whose size Postgres checks, since a tenant's table may hold anything.
    """
    present = await _columns(db)
    if "version" not in present:
        return []
    read = ", ".join(_shown(column, present) for column in {*TEXTS, *columns})
    cursor = await db.execute(
        f"""with history as (select {read} from {TABLE}),
          found as materialized (
            select {", ".join(columns)} from history where version <> '' and ({where})),
          lines as (select version, row_to_json(found)::text as line from found)
        select sum(octet_length(line)),
          case when sum(octet_length(line)) <= %s
            then '[' || string_agg(line, ',' order by version collate "C") || ']' end
        from lines""".encode(),
        [*parameters, max_bytes],
    )
    size, rows = await cursor.fetchone() or (None, None)
    if size is not None and rows is None:
        raise TooLarge(f"The migration history holds more than {max_bytes / 1024 / 1024:g} MB; read {TABLE} directly.")
    return [Migration(**row) for row in orjson.loads(rows or b"[]")]


def _shown(column: str, present: frozenset[str]) -> str:
    """The column with the type it should have; null where there is none."""
    if column not in present:
        return f"null::{'text' if column in TEXTS else 'text[]'} as {column}"
    if column in TEXTS:
        return f"{column}::text as {column}"
    elements = f"array(select element from unnest({column}::text[]) as element where element is not null)"
    return f"case when {column} is not null then {elements} end as {column}"


async def insert(db: Connection, row: Migration) -> None:
    """Raises Invalid when the table does not take it."""
    cursor = await db.execute(
        f"insert into {TABLE} (version, name, statements, rollback, created_by, idempotency_key)"
        " values (%s::text, %s::text, %s::text[], %s::text[], %s::text, %s::text) returning version::text".encode(),
        [row.version, row.name, row.statements, row.rollback, row.created_by, row.idempotency_key],
    )
    _insist(await cursor.fetchall() == [(row.version,)])


async def update(db: Connection, version: str, **fields: object) -> None:
    """Set these columns, whose names are ours. Raises Invalid when the table does not take it."""
    assert fields.keys() <= {*TEXTS, *LISTS}
    types = {name: "text[]" if name in LISTS else "text" for name in fields}
    assignments = ", ".join(f"{name} = %s::{type_}" for name, type_ in types.items())
    cursor = await db.execute(
        f"update {TABLE} set {assignments} where version::text = %s".encode(), [*fields.values(), version]
    )
    _insist(cursor.rowcount == 1)


async def delete(db: Connection, version: str) -> None:
    """Raises Invalid when the table does not let it go."""
    cursor = await db.execute(f"delete from {TABLE} where version::text = %s".encode(), [version])
    _insist(cursor.rowcount == 1)


async def free_version(db: Connection) -> str:
    """The time in UTC as YYYYMMDDHHMMSS; the next second that no migration has where several come within one."""
    cursor = await db.execute(
        f"""select v from (
          select to_char(clock_timestamp() at time zone 'UTC' + make_interval(secs => n), 'YYYYMMDDHH24MISS') as v
          from generate_series(0, 3600) as n) as versions
        where not exists (select from {TABLE} where version::text = v) order by v limit 1""".encode()
    )
    found = await cursor.fetchone()
    if found is None:
        raise Conflict("Every version of the coming hour is taken in the migration history. Nothing was applied.")
    return str(found[0])


async def _columns(db: Connection) -> frozenset[str]:
    cursor = await db.execute(
        b"select attname::text from pg_catalog.pg_attribute"
        b" where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [TABLE],
    )
    return frozenset(name for (name,) in await cursor.fetchall())


def _insist(is_done: bool) -> None:
    if not is_done:
        raise Invalid(f"The migration history, {TABLE}, did not take the change: a trigger or rule on it refuses.")
