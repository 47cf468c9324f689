"""What a column's description says of keys: marks that generators of clients look for."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from baseplane.resources.introspection.catalog import Catalog, ForeignKey
from baseplane.resources.projects.view_columns import Origin, Origins, origins

Place = tuple[int, str]
"""Oid of a relation and the name of a column in it."""

Shows = defaultdict[Origin, list[Place]]
"""By column of a relation: the columns of views that show it."""


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
    shows: Shows = defaultdict(list)
    for view, columns in shown.items():
        for origin, names in columns.items():
            shows[origin] += [(view, name) for name in names]
    return Keys(set(_primary(catalog, shown, shows)), _foreign(catalog, shows))


def _primary(catalog: Catalog, shown: Origins, shows: Shows) -> Iterator[Place]:
    """A view has a table's primary key if it shows all of it; of a column shown twice the first counts."""
    for key in catalog.primary_keys:
        for name in key.names:
            yield key.relation, name
        for view in {view for view, _ in shows[key.relation, key.numbers[0]]}:
            parts = [shown[view].get((key.relation, number), []) for number in key.numbers]
            if all(parts):
                yield from ((view, part[0]) for part in parts)


def _foreign(catalog: Catalog, shows: Shows) -> dict[Place, Reference]:
    names = {view.oid: view.name for view in catalog.views if view.schema == catalog.schema}
    found: defaultdict[Place, list[Reference]] = defaultdict(list)
    for key in catalog.foreign_keys:
        referenced = list(_referenced(key, catalog.schema, names, shows))
        for place in [(key.relation, key.column), *shows[key.relation, key.number]] if referenced else ():
            found[place] += referenced
    return {place: min(references) for place, references in found.items()}


def _referenced(key: ForeignKey, schema: str, views: dict[int, str], shows: Shows) -> Iterator[Reference]:
    """The table that the key leads to, and views that show it, in the schema described."""
    if key.referenced_schema == schema:
        yield Reference(False, key.referenced_name, key.name, key.referenced_column)
    for view, column in shows[key.referenced, key.referenced_number]:
        if view in views:
            yield Reference(True, views[view], key.name, column)
