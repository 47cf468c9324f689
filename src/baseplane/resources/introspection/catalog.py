"""What the Data API's description is made from, as Postgres' catalog has it for service_role.

Tenants are hostile, and their database sets how our session starts. So the settings that decide what our SQL means are
fixed first; pg_catalog is searched before anything of theirs, and nothing of theirs is run.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
import psycopg

from baseplane.errors import Invalid, TooLarge
from baseplane.resources.projects.exposed import EXPOSED_SCHEMAS, EXTRA_SEARCH_PATH
from baseplane.resources.projects.inside import Connection, refusal

WITHIN = 10
"""Seconds that one query may take: other sessions can hold locks on what is looked at."""
GRACE = 5
"""Seconds after those in which we give up ourselves."""
BYTES = 16 * 1024 * 1024
"""Of one kind of thing, such as columns, that is taken in."""

BEGIN = f"""
begin transaction isolation level repeatable read, read only;
set local search_path = pg_catalog, pg_temp;
set local statement_timeout = {WITHIN * 1000};
set local standard_conforming_strings = on;
set local quote_all_identifiers = off;
set local client_encoding = 'UTF8';
set local jit = off;
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """``is_writable``: rows can be inserted, updated or deleted."""

    oid: int
    name: str
    comment: str | None
    is_view: bool
    is_writable: bool


@dataclass(frozen=True, slots=True)
class Column:
    """``type`` and ``default`` are SQL; ``labels`` are those of an enum; ``max_length`` counts characters or bits."""

    relation: int
    name: str
    comment: str | None
    type: str
    default: str | None
    is_nullable: bool
    max_length: int | None
    labels: list[str]


@dataclass(frozen=True, slots=True)
class Argument:
    name: str
    type: str
    is_required: bool
    is_variadic: bool


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    comment: str | None
    arguments: list[Argument]

    def __post_init__(self) -> None:
        given: list[Any] = self.arguments
        object.__setattr__(self, "arguments", [Argument(**argument) for argument in given])


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    """Of a table in any schema; its columns by number and by name."""

    relation: int
    numbers: list[int]
    names: list[str]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Of a table in any schema, with one column."""

    name: str
    relation: int
    number: int
    column: str
    referenced: int
    referenced_number: int
    referenced_schema: str
    referenced_name: str
    referenced_column: str


@dataclass(frozen=True, slots=True)
class View:
    oid: int
    name: str
    schema: str
    columns: list[str]
    definition: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """Relations, columns and functions are those of one schema."""

    schema: str
    comment: str | None
    relations: list[Relation]
    columns: list[Column]
    functions: list[Function]
    primary_keys: list[PrimaryKey]
    foreign_keys: list[ForeignKey]
    views: list[View]


Row = TypeVar("Row")
KINDS: dict[str, type[Any]] = {
    "relations": Relation,
    "columns": Column,
    "functions": Function,
    "primary_keys": PrimaryKey,
    "foreign_keys": ForeignKey,
    "views": View,
}
ALL = """
select case when coalesce(sum(octet_length(f::text)), 0) <= %(bytes)s then coalesce(json_agg(f), '[]')::text end
from (
{}
) as f"""
"""The rows of a query as JSON, and null if they are more than we take in."""
QUERIES = {kind: ALL.format(Path(__file__).with_name(f"{kind}.sql").read_text()) for kind in KINDS}
# A title and a description: what is longer is cut, so that no tenant makes us take in a comment of any size.
SCHEMA = b"select left(obj_description(oid, 'pg_namespace'), 10000) from pg_namespace where nspname = %(schema)s"
SCHEMAS = b"""
select d.datname, n.nspname
from pg_database d
left join pg_namespace n on n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
where d.datname = current_database()
order by n.nspname"""


async def read(db: Connection, schema: str) -> Catalog:
    """As of one moment. Raises Invalid if there is no such schema or Postgres takes too long, TooLarge, Unavailable."""
    given = {"schema": schema, "exposed": list(EXPOSED_SCHEMAS), "extra": list(EXTRA_SEARCH_PATH), "bytes": BYTES}
    async with _reading(db):
        described = await (await db.execute(SCHEMA, given)).fetchone()
        if described is None:
            raise Invalid(f"schema: this project has no schema {schema}.")
        found = {kind: await _read(db, kind, shape, given) for kind, shape in KINDS.items()}
    return Catalog(schema=schema, comment=described[0], **found)


async def _read(db: Connection, kind: str, shape: type[Row], given: Mapping[str, Any]) -> list[Row]:
    answer = await (await db.execute(QUERIES[kind].encode(), given)).fetchone()
    if answer is None or answer[0] is None:
        raise TooLarge(f"The {kind.replace('_', ' ')} of this database pass {BYTES // 1024 // 1024} MB of description.")
    return [shape(**row) for row in orjson.loads(answer[0])]


async def read_schemas(db: Connection) -> tuple[str, list[str]]:
    """The database's name and those of its schemas, except Postgres' own. Raises Invalid, Unavailable."""
    async with _reading(db):
        rows = await (await db.execute(SCHEMAS)).fetchall()
    return rows[0][0], [schema for _, schema in rows if schema is not None]


@asynccontextmanager
async def _reading(db: Connection) -> AsyncIterator[None]:
    """A transaction that only reads. What it leaves open ends with the loan of the connection."""
    try:
        async with asyncio.timeout(WITHIN + GRACE):
            await db.execute(BEGIN.encode())
            yield
    except TimeoutError as error:
        raise Invalid(f"The catalog could not be read within {WITHIN} seconds.") from error
    except psycopg.Error as error:
        raise refusal(error, "") from error
