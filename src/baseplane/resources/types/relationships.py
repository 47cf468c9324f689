"""Relationships of tables and views: foreign keys, and what views show of them."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from baseplane.errors import TooLarge
from baseplane.resources.projects.view_columns import Origin, Origins, origins
from baseplane.resources.types.catalog import ROWS, Catalog, ForeignKey, ViewDefinition

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
    """First those of tables, then for each key from views, to views, and between views. Raises TooLarge."""
    found = list(itertools.islice(_all(catalog), ROWS + 1))
    if len(found) > ROWS:
        raise TooLarge(f"Views show keys in more than {ROWS} ways; ask for fewer schemas.")
    return found


def _all(catalog: Catalog) -> Iterator[Relationship]:
    shown = origins(catalog.view_definitions)
    views = _showing(catalog.view_definitions, shown)
    referenced = _referenced(catalog.foreign_keys)
    declared = [_declared(key) for key in catalog.foreign_keys]
    yield from declared
    for key, own in zip(catalog.foreign_keys, declared, strict=True):
        ends = referenced[key.referenced_oid, key.name].values()
        left = _some(_views(views, shown, key.relation_oid, list(enumerate(key.numbers))))
        right = _some(view for end in ends for view in _views(views, shown, key.referenced_oid, sorted(end)))
        yield from (_from(own, view) for view in left)
        yield from (_to(own, view) for view in right)
        yield from (_to(_from(own, one), other) for one in left for other in right)


def _some(views: Iterable[Shown]) -> list[Shown]:
    """Not more than can be given."""
    return list(itertools.islice(views, ROWS + 1))


def _showing(views: Iterable[ViewDefinition], shown: Origins) -> dict[Origin, list[ViewDefinition]]:
    found: dict[Origin, list[ViewDefinition]] = defaultdict(list)
    for view in views:
        for origin in shown[view.oid]:
            found[origin].append(view)
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


def _views(
    views: dict[Origin, list[ViewDefinition]], seen: Origins, relation: int, sides: Sequence[Side]
) -> Iterator[Shown]:
    """The views that show the whole side; one that shows a column twice shows it in several ways."""
    length = 1 + max((place for place, _ in sides), default=-1)
    candidates = {view.oid: view for _, number in sides for view in views.get((relation, number), [])}
    for view in sorted(candidates.values(), key=lambda view: view.oid):
        shown = seen[view.oid]
        names = [shown[relation, number] for _, number in sides if (relation, number) in shown]
        if len(names) == length:
            yield from (Shown(view, columns) for columns in itertools.product(*names))
