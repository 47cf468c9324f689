"""Relationships of tables and views: foreign keys, and what views show of them."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from baseplane.resources.types.catalog import Catalog, ForeignKey, ViewDefinition
from baseplane.resources.types.view_columns import Origins, origins

Columns = Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Relationship:
    name: str
    schema: str
    relation: str
    columns: Columns
    is_one_to_one: bool
    referenced_schema: str
    referenced_relation: str
    referenced_columns: Columns


@dataclass(frozen=True, slots=True)
class Shown:
    """A view that shows all columns of one end of a key, by their names in the view."""

    view: ViewDefinition
    columns: Sequence[str]


def relationships(catalog: Catalog) -> list[Relationship]:
    """First those of tables, then for each key from views, to views, and between views."""
    seen = origins(catalog.view_definitions)
    referenced = _referenced(catalog.foreign_keys)
    found = [_declared(key) for key in catalog.foreign_keys]
    views = [view for view in catalog.view_definitions if seen.get(view.oid)]
    for key, own in zip(catalog.foreign_keys, list(found), strict=True):
        left = list(_views(views, seen, key.relation_oid, list(enumerate(key.numbers))))
        ends = referenced[key.referenced_oid, key.name]
        right = [view for side in ends.values() for view in _views(views, seen, key.referenced_oid, sorted(side))]
        found += [_from(own, view) for view in left]
        found += [_to(own, view) for view in right]
        found += [_to(_from(own, one), other) for one in left for other in right]
    return found


def _declared(key: ForeignKey) -> Relationship:
    return Relationship(
        key.name,
        key.schema,
        key.relation,
        key.columns,
        key.is_one_to_one,
        key.referenced_schema,
        key.referenced_relation,
        key.referenced_columns,
    )


def _from(own: Relationship, shown: Shown) -> Relationship:
    return replace(own, schema=shown.view.schema, relation=shown.view.name, columns=shown.columns)


def _to(own: Relationship, shown: Shown) -> Relationship:
    view = shown.view
    return replace(own, referenced_schema=view.schema, referenced_relation=view.name, referenced_columns=shown.columns)


Side = tuple[int, int]
"""The place in a key, and the number of the column there."""


def _referenced(keys: Iterable[ForeignKey]) -> dict[tuple[int, str], dict[int, set[Side]]]:
    """What is referred to, by relation and name of the key, then by its length.

    Keys of different tables can share all of these; the generator that we follow does not tell them apart.
    """
    found: dict[tuple[int, str], dict[int, set[Side]]] = defaultdict(lambda: defaultdict(set))
    for key in keys:
        if key.columns is not None:
            found[key.referenced_oid, key.name][len(key.numbers)].update(enumerate(key.referenced_numbers))
    return found


def _views(views: Iterable[ViewDefinition], seen: Origins, relation: int, sides: Sequence[Side]) -> Iterator[Shown]:
    """The views that show the whole side; one that shows a column twice shows it in several ways."""
    if not sides:
        return
    length = 1 + max(place for place, _ in sides)
    for view in views:
        shown = seen[view.oid]
        names = [shown[relation, number] for _, number in sides if (relation, number) in shown]
        if len(names) == length:
            yield from (Shown(view, columns) for columns in itertools.product(*names))
