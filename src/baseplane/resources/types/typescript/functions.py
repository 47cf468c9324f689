"""Functions as the types of their calls, and which of them are computed fields."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from baseplane.resources.types.catalog import Catalog, Column, Function, Relation
from baseplane.resources.types.collation import key as order
from baseplane.resources.types.typescript import conflicts
from baseplane.resources.types.typescript.layout import Array, Intersection, Node, Object, Text, Union
from baseplane.resources.types.typescript.names import key, literal
from baseplane.resources.types.typescript.types import Types, not_null, nullable, one_of

ALONE = frozenset({25, 114, 3802})
"""OIDs of text, json and jsonb: the types of which one argument may have no name."""
INPUTS = frozenset("ibv")
"""In, inout and variadic, as in pg_proc.proargmodes."""
NO_ARGUMENTS = Text("Record<PropertyKey, never>")


@dataclass(frozen=True, slots=True)
class Argument:
    mode: str
    name: str
    type: int
    has_default: bool


def arguments(function: Function) -> list[Argument]:
    """All, by name. Defaults are counted over the places of all arguments, as in the generator that we follow."""
    required = function.inputs - function.defaults
    places = enumerate(zip(function.modes, function.names, function.types, strict=True))
    found = [Argument(*parts, has_default=required <= at < function.inputs) for at, parts in places]
    return sorted(found, key=lambda argument: order(argument.name))


@dataclass(frozen=True, slots=True)
class Callable:
    """A function with its arguments, all of them and those that a caller gives."""

    function: Function
    arguments: list[Argument]
    inputs: list[Argument]


class Functions:
    def __init__(self, catalog: Catalog, types: Types, columns: dict[int, list[Column]]) -> None:
        self.types, self.columns = types, columns
        self.relations = {relation.oid: relation for relation in catalog.relations}
        self._rows: dict[int, Node] = {}
        functions = sorted(catalog.functions, key=lambda one: (order(one.name), order(one.identity_text), one.oid))
        self.by_schema: dict[str, list[Callable]] = {schema.name: [] for schema in catalog.schemas}
        for function in functions:
            given = arguments(function)
            found = Callable(function, given, [argument for argument in given if argument.mode in INPUTS])
            if function.schema in self.by_schema and self._is_callable(found):
                self.by_schema[function.schema].append(found)

    def _is_row(self, oid: int) -> bool:
        return oid in self.types.by_oid and self.types.by_oid[oid].relation is not None

    def _is_callable(self, found: Callable) -> bool:
        """Whether PostgREST can call it: by names, or with one argument that needs none."""
        unnamed = [argument for argument in found.inputs if not argument.name]
        if all(argument.has_default and argument.type in ALONE for argument in unnamed):
            return True
        return len(found.inputs) == 1 and (unnamed[0].type in ALONE or self._is_row(unnamed[0].type))

    def computed_fields(self, relation: Relation) -> Iterator[tuple[str, Node]]:
        """Functions of the relation's row alone are columns to PostgREST."""
        for found in self.by_schema[relation.schema]:
            if self._takes(found, relation):
                yield key(found.function.name), nullable(self._result(found))

    def _takes(self, found: Callable, relation: Relation) -> bool:
        if len(found.inputs) == 1 and self._is_row(found.inputs[0].type):
            return self.types.by_oid[found.inputs[0].type].relation == relation.oid
        return found.function.arguments_text == relation.name

    def section(self, schema: str) -> list[tuple[str, Node]]:
        """Each name with its type; functions of one name are a union."""
        named: dict[str, list[Callable]] = {}
        for found in self.by_schema[schema]:
            named.setdefault(found.function.name, []).append(found)
        return [(key(name), self._overloads(named[name])) for name in sorted(named, key=_as_javascript)]

    def _overloads(self, found: list[Callable]) -> Node:
        found.sort(key=lambda one: (order(one.function.arguments_text), order(one.function.result_text)))
        return one_of([self._signature(one, found) for one in found])

    def _signature(self, found: Callable, overloads: Sequence[Callable]) -> Node:
        complaint = conflicts.of(found, overloads, self.types) or self._row_without_relation(found)
        result = (
            Intersection(Object([("error", Text("true"))], is_open=False), Text(literal(complaint)))
            if complaint
            else self._result(found)
        )
        members = [("Args", self._arguments(found.inputs)), ("Returns", self._returns(found, result))]
        return Object([*members, *self._set_of(found)], is_open=False)

    def _row_without_relation(self, found: Callable) -> str | None:
        """Of a function that would be a computed field if the rest of PostgREST could see it as one."""
        inputs, function = found.inputs, found.function
        if len(inputs) != 1 or inputs[0].name or not self._is_row(inputs[0].type) or self._target(function):
            return None
        return (
            f"the function {function.schema}.{function.name} with parameter or with a single unnamed json/jsonb"
            " parameter, but no matches were found in the schema cache"
        )

    def _arguments(self, inputs: list[Argument]) -> Node:
        if not inputs:
            return NO_ARGUMENTS
        return Object(
            [(key(each.name) + ("?" if each.has_default else ""), self.types.of(each.type)) for each in inputs],
            is_open=False,
        )

    def _result(self, found: Callable) -> Node:
        function = found.function
        if table := [each for each in found.arguments if each.mode == "t"]:
            return Object([(key(each.name), self.types.of(each.type)) for each in table])
        relation = self.relations.get(function.returns_relation or 0)
        if relation and relation.schema == function.schema:
            return self._row(relation.oid)
        return self.types.of(function.returns)

    def _row(self, relation: int) -> Node:
        if relation not in self._rows:
            columns = self.columns.get(relation, [])
            self._rows[relation] = Object([(key(column.name), self.column(column)) for column in columns])
        return self._rows[relation]

    def column(self, column: Column) -> Node:
        type_ = self.types.named(column.type, column.type_schema)
        return nullable(type_) if column.is_nullable else not_null(type_)

    def _returns(self, found: Callable, result: Node) -> Node:
        function = found.function
        single = not function.returns_many and self._target(function) is not None
        if not function.returns_set or single:
            return result
        if isinstance(result, Union):  # the brackets bind to the last part alone
            return Union([*result.parts[:-1], Array(result.parts[-1])])
        if isinstance(result, Intersection):
            return Intersection(result.left, Array(result.right))
        return Array(result)

    def _target(self, function: Function) -> str | None:
        """The relation or composite type whose rows are given."""
        if function.returns_relation is None:
            return None
        if relation := self.relations.get(function.returns_relation):
            return relation.name
        type_ = self.types.by_oid.get(function.returns)
        return type_.name if type_ else None

    def _set_of(self, found: Callable) -> Iterator[tuple[str, Node]]:
        """What lets a client select from the rows, and embed them where the argument is a row."""
        function, target = found.function, self._target(found.function)
        if target is None:
            return
        source = "*"
        if len(found.arguments) == 1 and self._is_row(found.arguments[0].type):
            source = self.types.by_oid[found.arguments[0].type].text
        yield (
            "SetofOptions",
            Object(
                [
                    ("from", Text(literal(source))),
                    ("to", Text(literal(target))),
                    ("isOneToOne", Text(str(not function.returns_many).lower())),
                    ("isSetofReturn", Text(str(function.returns_set).lower())),
                ]
            ),
        )


def _as_javascript(name: str) -> tuple[bool, int]:
    """JavaScript keeps members whose names are whole numbers before all others; the sort leaves those as they are."""
    is_index = name.isascii() and name.isdigit() and str(int(name)) == name and int(name) < 2**32 - 1
    return not is_index, int(name) if is_index else 0
