"""Postgres' types as those of TypeScript."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from baseplane.resources.types.catalog import Catalog, Relation, Type
from baseplane.resources.types.collation import key as order
from baseplane.resources.types.typescript.layout import Array, Node, Text, Union
from baseplane.resources.types.typescript.names import literal

BUILT_IN = {
    "bool": "boolean",
    **dict.fromkeys(("int2", "int4", "int8", "float4", "float8", "numeric"), "number"),
    **dict.fromkeys(("bytea", "bpchar", "varchar", "text", "citext", "uuid", "vector", "interval"), "string"),
    **dict.fromkeys(("date", "time", "timetz", "timestamp", "timestamptz"), "string"),
    **dict.fromkeys(("json", "jsonb"), "Json"),
    "void": "undefined",
    "record": "Record<string, unknown>",
}
T = TypeVar("T", Type, Relation)
UNKNOWN = Text("unknown")
TABLES, VIEWS = frozenset("rpf"), frozenset("vm")
KINDS = ("rp", "f", "v", "m")
"""Relations of one name are looked for in this order."""


class Types:
    """Finds types by name, as the generator does that we follow: first in the schema meant, then in any."""

    def __init__(self, catalog: Catalog) -> None:
        self.schemas = {schema.name for schema in catalog.schemas}
        self.by_oid = {type_.oid: type_ for type_ in catalog.types}
        ordered = sorted(catalog.types, key=_place)
        self.enums = _by_name(type_ for type_ in ordered if type_.labels)
        self.composites = _by_name(type_ for type_ in ordered if type_.attribute_names)
        relations = sorted(catalog.relations, key=_place)
        self.relations = _by_name(sorted(relations, key=_kind))
        self._known: dict[tuple[str, str], Node] = {}

    def of(self, oid: int) -> Node:
        type_ = self.by_oid.get(oid)
        return self.named(type_.name, type_.schema) if type_ else UNKNOWN

    def named(self, name: str, schema: str) -> Node:
        if (name, schema) not in self._known:
            self._known[name, schema] = self._find(name, schema)
        return self._known[name, schema]

    def _find(self, name: str, schema: str) -> Node:
        if name in BUILT_IN:
            return Text(BUILT_IN[name])
        if name.startswith("_"):  # what Postgres calls arrays
            return Array(self.named(name[1:], schema))
        if enum := _choose(self.enums.get(name), schema):
            labels = [Text(literal(label)) for label in enum.labels]
            return self._reference(enum, "Enums") if enum.schema in self.schemas else one_of(labels)
        if composite := _choose(self.composites.get(name), schema):
            return self._reference(composite, "CompositeTypes")
        relation = _choose(self.relations.get(name), schema)
        return self._reference(relation, *_section(relation)) if relation else UNKNOWN

    def _reference(self, thing: Type | Relation, section: str, suffix: str = "") -> Node:
        if thing.schema not in self.schemas:
            return UNKNOWN
        return Text(f'Database[{literal(thing.schema)}]["{section}"][{literal(thing.name)}]{suffix}')


def _section(relation: Relation) -> tuple[str, str]:
    return ("Tables" if relation.kind in TABLES else "Views"), '["Row"]'


def one_of(parts: Sequence[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Union(parts)


def nullable(node: Node) -> Node:
    """The type or null; unknown holds null already."""
    if node.flat == UNKNOWN.flat:
        return node
    return Union([*(node.parts if isinstance(node, Union) else [node]), Text("null")])


def not_null(node: Node) -> Node:
    """Json holds null, so a column that does not is narrowed."""
    return Text("NonNullable<Json>") if node.flat == "Json" else node


def _place(thing: Type | Relation) -> tuple[object, ...]:
    return order(thing.schema), order(thing.name), thing.oid


def _kind(relation: Relation) -> int:
    return next(at for at, kinds in enumerate(KINDS) if relation.kind in kinds)


def _by_name(things: Iterable[T]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for thing in things:
        found.setdefault(thing.name, []).append(thing)
    return found


def _choose(named: list[T] | None, schema: str) -> T | None:
    if not named:
        return None
    return next((thing for thing in named if thing.schema == schema), named[0])
