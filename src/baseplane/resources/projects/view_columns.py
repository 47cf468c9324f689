"""Which columns of tables a view's columns are, read from the parsed query that Postgres keeps for the view."""

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

Origin = tuple[int, int]
"""Oid of a relation and the number of a column in it."""
Origins = dict[int, dict[Origin, list[str]]]
"""By view: the names of its columns that show each column of a relation, directly or through other views."""


class ViewDefinition(Protocol):
    """``columns`` are the names in their order, ``definition`` is pg_rewrite.ev_action."""

    @property
    def oid(self) -> int: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def definition(self) -> str | None: ...


NODE = re.compile(r"\\.|\{([A-Z]*)|\}", re.DOTALL)
FIELDS = re.compile(r":resno (\d+) .*:resorigtbl (\d+) :resorigcol (\d+) :resjunk false", re.DOTALL)
"""Of a column; an entry with resjunk serves for sorting alone."""


def origins(views: Iterable[ViewDefinition]) -> Origins:
    known = list(views)
    direct = {view.oid: dict(_targets(view.definition or "")) for view in known}
    found: Origins = {}
    for view in known:
        shown = found.setdefault(view.oid, {})
        for number, origin in direct[view.oid].items():
            for source in _chain(origin, direct):
                shown.setdefault(source, []).append(view.columns[number - 1])
    return found


def _chain(origin: Origin, direct: dict[int, dict[int, Origin]]) -> Iterator[Origin]:
    """The column, what it is in turn if its relation is a view, and so on."""
    passed: set[int] = set()
    while True:
        yield origin
        relation, number = origin
        if relation in passed or number not in direct.get(relation, {}):
            return
        passed.add(relation)
        origin = direct[relation][number]


def _targets(definition: str) -> Iterator[tuple[int, Origin]]:
    """Each column's number and its origin, of the outermost query alone.

    The text is a pg_node_tree: nodes are in braces, and a backslash stands before a brace that is part of a name.
    """
    depth, own, end = 0, "", 0
    inside = False
    for found in NODE.finditer(definition):
        mark = found.group()
        if mark[0] == "\\":
            continue
        if inside and depth == 2:
            own += definition[end : found.start()]
        if mark == "}":
            if inside and depth == 2:
                yield from _fields(own)
                inside, own = False, ""
            depth -= 1
        else:
            depth += 1
            inside = inside or (depth == 2 and found.group(1) == "TARGETENTRY")
        end = found.end()


def _fields(entry: str) -> Iterator[tuple[int, Origin]]:
    if found := FIELDS.search(entry):
        number, relation, column = map(int, found.groups())
        yield number, (relation, column)
