"""Tables and views: what a row has, what an insert and an update take, and how they are related."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import orjson

from baseplane.resources.types.catalog import Catalog, Column, Relation
from baseplane.resources.types.collation import key as order
from baseplane.resources.types.relationships import Relationship, relationships
from baseplane.resources.types.typescript.functions import Functions
from baseplane.resources.types.typescript.layout import Node, Object, Text, Tuple
from baseplane.resources.types.typescript.names import key, literal
from baseplane.resources.types.typescript.types import Types, nullable

NEVER = Text("never")
Member = tuple[str, Node]


def by_relation(columns: Sequence[Column]) -> dict[int, list[Column]]:
    found: dict[int, list[Column]] = defaultdict(list)
    for column in sorted(columns, key=lambda column: order(column.name)):
        found[column.relation].append(column)
    return found


class Relations:
    def __init__(self, catalog: Catalog, types: Types, columns: dict[int, list[Column]], functions: Functions) -> None:
        self.types, self.columns, self.functions = types, columns, functions
        self.relations = sorted(catalog.relations, key=lambda relation: (order(relation.name), relation.oid))
        self.relationships: dict[str, list[Relationship]] = defaultdict(list)
        for each in sorted(relationships(catalog), key=_relationship_order):
            self.relationships[_path(each.schema, each.relation)].append(each)

    def section(self, schema: str, kinds: frozenset[str]) -> list[Member]:
        return [
            (key(relation.name), Object(list(self._parts(relation))))
            for relation in self.relations
            if relation.schema == schema and relation.kind in kinds
        ]

    def _parts(self, relation: Relation) -> Iterator[Member]:
        columns = self.columns.get(relation.oid, [])
        row = [(key(column.name), self.functions.column(column)) for column in columns]
        yield "Row", Object([*row, *self.functions.computed_fields(relation)])
        if relation.kind in "rpf":
            yield "Insert", Object([self._inserted(column) for column in columns])
            yield "Update", Object([self._updated(column) for column in columns])
        else:
            through = Object([self._through_view(column) for column in columns])
            if relation.is_insertable:
                yield "Insert", through
            if relation.is_updatable:
                yield "Update", through
        found = self.relationships.get(_path(relation.schema, relation.name), [])
        yield "Relationships", Tuple([_relationship(r) for r in found if r.referenced_schema == relation.schema])

    def _inserted(self, column: Column) -> Member:
        optional = column.is_nullable or column.has_default
        return self._written(column) if optional or column.is_computed else (key(column.name), self._type(column))

    def _updated(self, column: Column) -> Member:
        return self._written(column)

    def _written(self, column: Column) -> Member:
        return f"{key(column.name)}?", NEVER if column.is_computed else self._type(column)

    def _through_view(self, column: Column) -> Member:
        type_ = nullable(self.types.named(column.type, column.type_schema))
        return f"{key(column.name)}?", type_ if column.is_updatable else NEVER

    def _type(self, column: Column) -> Node:
        return self.functions.column(column)


def _path(schema: str, relation: str) -> str:
    """Joined, since the generator that we follow does not tell "a.b"."c" from "a"."b.c" here."""
    return f"{schema}.{relation}"


def _relationship_order(each: Relationship) -> tuple[object, ...]:
    return order(each.name), order(each.referenced_relation), order(_json(each.referenced_columns))


def _json(names: Sequence[str] | None) -> str:
    return "null" if names is None else orjson.dumps(names).decode()


def _relationship(each: Relationship) -> Node:
    return Object(
        [
            ("foreignKeyName", Text(literal(each.name))),
            ("columns", _names(each.columns)),
            ("isOneToOne", Text(str(each.is_one_to_one).lower())),
            ("referencedRelation", Text(literal(each.referenced_relation))),
            ("referencedColumns", _names(each.referenced_columns)),
        ]
    )


def _names(names: Sequence[str] | None) -> Node:
    return Text("null") if names is None else Tuple([Text(literal(name)) for name in names])
