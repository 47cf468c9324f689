"""What a column's description says of keys: marks that generators of clients look for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from baseplane.resources.introspection.catalog import Catalog, ForeignKey
from baseplane.resources.projects.exposed import EXPOSED_SCHEMAS
from baseplane.resources.projects.view_columns import Origins, origins

Place = tuple[int, str]
"""Oid of a relation and the name of a column in it."""


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """The column that a foreign key leads to. In this order: of several, the first is noted."""

    is_view: bool
    relation: str
    key: str
    column: str


@dataclass(frozen=True, slots=True)
class Keys:
    primary: set[Place]
    foreign: dict[Place, Reference]

    def described(self, place: Place, comment: str | None) -> str | None:
        """The column's comment, with what its keys are below it."""
        notes = list(self._notes(place))
        if not notes:
            return comment
        return "\n".join([*([comment + "\n"] if comment is not None else []), "Note:", *notes])

    def _notes(self, place: Place) -> Iterator[str]:
        if place in self.primary:
            yield "This is a Primary Key.<pk/>"
        if found := self.foreign.get(place):
            table, column = found.relation, found.column
            yield f"This is a Foreign Key to `{table}.{column}`.<fk table='{table}' column='{column}'/>"


def keys(catalog: Catalog) -> Keys:
    """The keys of tables, and those of the tables behind views."""
    shown = origins(catalog.views)
    return Keys(set(_primary(catalog, shown)), _foreign(catalog, shown))


def _primary(catalog: Catalog, shown: Origins) -> Iterator[Place]:
    """A view has a table's primary key if it shows all of it; of a column shown twice the first counts."""
    for key in catalog.primary_keys:
        for name in key.names:
            yield key.relation, name
        for view, columns in shown.items():
            parts = [columns.get((key.relation, number)) for number in key.numbers]
            for part in parts if all(parts) else []:
                assert part is not None
                yield view, part[0]


def _foreign(catalog: Catalog, shown: Origins) -> dict[Place, Reference]:
    names = {view.oid: view.name for view in catalog.views if view.schema == catalog.schema}
    found: defaultdict[Place, list[Reference]] = defaultdict(list)
    exposed = {view.oid for view in catalog.views if view.schema in EXPOSED_SCHEMAS}
    for key in catalog.foreign_keys:
        referenced = list(_referenced(key, catalog.schema, names, shown))
        for place in _referencing(key, exposed, shown) if referenced else ():
            found[place] += referenced
    return {place: min(references) for place, references in found.items()}


def _referenced(key: ForeignKey, schema: str, views: dict[int, str], shown: Origins) -> Iterator[Reference]:
    """The table that the key leads to, and views that show it, in the schema described."""
    if key.referenced_schema == schema:
        yield Reference(False, key.referenced_name, key.name, key.referenced_column)
    for view, name in views.items():
        for column in shown[view].get((key.referenced, key.referenced_number), ()):
            yield Reference(True, name, key.name, column)


def _referencing(key: ForeignKey, views: Iterable[int], shown: Origins) -> Iterator[Place]:
    yield key.relation, key.column
    for view in views:
        for column in shown[view].get((key.relation, key.number), ()):
            yield view, column
