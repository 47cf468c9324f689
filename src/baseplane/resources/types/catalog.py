"""What TypeScript types are made from: relations, columns, functions, types and keys, as Postgres' catalog has them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.rows import class_row

from baseplane.errors import TooLarge
from baseplane.resources.projects.inside import Connection, refusal

SECONDS = 20
"""How long one query on the catalog may take; other sessions can hold locks on what is looked at."""
ROWS = 100_000
"""Rows of one kind that are taken in, such as columns."""
BYTES = 32 * 1024 * 1024
"""Size of all views' parsed definitions that is taken in."""
SEARCH_PATH = '"$user", public, extensions'
"""As role postgres has it: names of types outside of it are written with their schema."""

BEGIN = f"""
begin isolation level repeatable read read only;
set local statement_timeout = '{SECONDS}s';
set local search_path = {SEARCH_PATH}"""


@dataclass(frozen=True, slots=True)
class Schema:
    name: str


@dataclass(frozen=True, slots=True)
class Relation:
    """``kind`` is pg_class.relkind. ``is_insertable`` and ``is_updatable`` say something of views only."""

    oid: int
    schema: str
    name: str
    kind: str
    is_insertable: bool
    is_updatable: bool


@dataclass(frozen=True, slots=True)
class Column:
    """``is_computed``: Postgres gives the value and takes none. ``is_updatable`` says something of views only."""

    relation: int
    name: str
    type: str
    type_schema: str
    is_nullable: bool
    has_default: bool
    is_computed: bool
    is_updatable: bool


@dataclass(frozen=True, slots=True)
class Type:
    """``text`` is its name as SQL; ``relation`` is there for row types and composites, ``labels`` for enums."""

    oid: int
    schema: str
    name: str
    text: str
    relation: int | None
    labels: list[str]
    attribute_names: list[str]
    attribute_types: list[int]


@dataclass(frozen=True, slots=True)
class Function:
    """``modes``, ``names`` and ``types`` are of all arguments; the last ``defaults`` of ``inputs`` have a default."""

    oid: int
    schema: str
    name: str
    modes: list[str]
    names: list[str]
    types: list[int]
    inputs: int
    defaults: int
    arguments_text: str
    identity_text: str
    result_text: str
    returns: int
    returns_relation: int | None
    returns_set: bool
    returns_many: bool


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Each end as names and as oid and column numbers. The columns' names are missing where the generator that we
    follow misses them: in schemas whose names need quotes.
    """

    oid: int
    name: str
    schema: str
    relation: str
    relation_oid: int
    numbers: list[int]
    columns: list[str] | None
    referenced_schema: str
    referenced_relation: str
    referenced_oid: int
    referenced_numbers: list[int]
    referenced_columns: list[str] | None
    is_one_to_one: bool


@dataclass(frozen=True, slots=True)
class ViewDefinition:
    oid: int
    schema: str
    name: str
    columns: list[str]
    definition: str | None


@dataclass(frozen=True, slots=True)
class Catalog:
    """Some schemas' contents. ``types`` are those of every schema."""

    schemas: list[Schema]
    relations: list[Relation]
    columns: list[Column]
    types: list[Type]
    functions: list[Function]
    foreign_keys: list[ForeignKey]
    view_definitions: list[ViewDefinition]


Row = TypeVar("Row")
QUERIES = {field.name: Path(__file__).with_name(f"{field.name}.sql").read_bytes() for field in fields(Catalog)}


async def read(db: Connection, schemas: Sequence[str]) -> Catalog:
    """As of one moment. Schemas that do not exist are left out.

    Raises TooLarge, Invalid if Postgres refuses or takes too long, Unavailable if the connection is lost.
    """
    given = {"schemas": list(schemas), "limit": ROWS + 1, "bytes": BYTES}

    async def rows(shape: type[Row], kind: str) -> list[Row]:
        return await _rows(db, shape, kind, given)

    try:
        await db.execute(BEGIN.encode())
        catalog = Catalog(
            await rows(Schema, "schemas"),
            await rows(Relation, "relations"),
            await rows(Column, "columns"),
            await rows(Type, "types"),
            await rows(Function, "functions"),
            await rows(ForeignKey, "foreign_keys"),
            await rows(ViewDefinition, "view_definitions"),
        )
        await db.execute(b"commit")
    except psycopg.Error as error:
        raise refusal(error, "") from error
    if any(view.definition is None for view in catalog.view_definitions):
        raise TooLarge("The definitions of these schemas' views are too large; ask for fewer schemas.")
    return catalog


async def _rows(db: Connection, shape: type[Row], kind: str, given: dict[str, Any]) -> list[Row]:
    async with db.cursor(row_factory=class_row(shape)) as cursor:
        await cursor.execute(QUERIES[kind], given)
        rows = await cursor.fetchall()
    if len(rows) > ROWS:
        raise TooLarge(f"These schemas hold more than {ROWS} {kind.replace('_', ' ')}; ask for fewer of them.")
    return rows
