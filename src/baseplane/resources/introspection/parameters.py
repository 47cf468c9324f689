"""The parameters that operations refer to by name."""

from collections.abc import Iterator, Sequence

from baseplane.resources.introspection.catalog import Column, Relation
from baseplane.resources.introspection.types import Object

RETURN = ["return=representation", "return=minimal", "return=none"]
RESOLUTION = ["resolution=ignore-duplicates", "resolution=merge-duplicates"]
PAGES = "Limiting and Pagination"


def _string(name: str, description: str, place: str = "query", **more: object) -> Object:
    return {"name": name, "description": description, "required": False, "in": place, "type": "string", **more}


def _prefer(values: list[str]) -> Object:
    return _string("Prefer", "Preference", "header", enum=values)


SHARED: dict[str, Object] = {
    "preferParams": _prefer(["params=single-object"]),
    "preferReturn": _prefer(RETURN),
    "preferCount": _prefer(["count=none"]),
    "preferPost": _prefer([*RETURN, *RESOLUTION]),
    "select": _string("select", "Filtering Columns"),
    "on_conflict": _string("on_conflict", "On Conflict"),
    "order": _string("order", "Ordering"),
    "range": _string("Range", PAGES, "header"),
    "rangeUnit": _string("Range-Unit", PAGES, "header", default="items"),
    "offset": _string("offset", PAGES),
    "limit": _string("limit", PAGES),
}
"""Those of every schema."""


def of_relation(relation: Relation, columns: Sequence[Column]) -> Iterator[tuple[str, Object]]:
    """A row as a body, and one filter for each column."""
    name = relation.name
    body = {"name": name, "description": name, "required": False, "in": "body"}
    yield body_name(relation), {**body, "schema": {"$ref": f"#/definitions/{name}"}}
    for column in columns:
        yield filter_name(relation, column), _filter(column)


def _filter(column: Column) -> Object:
    described = {} if column.comment is None else {"description": column.comment}
    return {
        "name": column.name, **described, "required": False, "format": column.type, "in": "query", "type": "string",
    }  # fmt: skip


def body_name(relation: Relation) -> str:
    return f"body.{relation.name}"


def filter_name(relation: Relation, column: Column) -> str:
    return f"rowFilter.{relation.name}.{column.name}"


def references(*names: str) -> list[Object]:
    return [{"$ref": f"#/parameters/{name}"} for name in names]
