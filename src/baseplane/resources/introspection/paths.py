"""The operations: those on rows of a table or view, and calls of functions."""

from collections.abc import Iterable, Sequence

from baseplane.resources.introspection import types
from baseplane.resources.introspection.catalog import Argument, Column, Function, Relation
from baseplane.resources.introspection.parameters import body_name, filter_name, references
from baseplane.resources.introspection.types import Object

JSON = "application/json"
SINGLE = ["application/vnd.pgrst.object+json;nulls=stripped", "application/vnd.pgrst.object+json"]
"""Media types of an answer that is one object instead of an array."""

ROOT: Object = {
    "get": {
        "tags": ["Introspection"],
        "summary": "OpenAPI description (this document)",
        "produces": ["application/openapi+json", JSON],
        "responses": {"200": {"description": "OK"}},
    }
}


def of_relation(relation: Relation, columns: Sequence[Column]) -> Object:
    """Reading, and writing where it can be written to: all of POST, PATCH and DELETE, as soon as one works."""
    about = {"tags": [relation.name], **summary(relation.comment)}
    filters = [filter_name(relation, column) for column in columns]
    body = body_name(relation)
    reading = [*filters, "select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"]
    rows = {"type": "array", "items": {"$ref": f"#/definitions/{relation.name}"}}
    answers = {"200": {"description": "OK", "schema": rows}, "206": {"description": "Partial Content"}}
    path: Object = {"get": {**about, "parameters": references(*reading), "responses": answers}}
    if relation.is_writable:
        path["post"] = _writing(about, [body, "select", "preferPost"], "201", "Created")
        path["patch"] = _writing(about, [*filters, body, "preferReturn"], "204", "No Content")
        path["delete"] = _writing(about, [*filters, "preferReturn"], "204", "No Content")
    return path


def _writing(about: Object, parameters: list[str], status: str, answer: str) -> Object:
    return {**about, "parameters": references(*parameters), "responses": {status: {"description": answer}}}


def summary(comment: str | None) -> Object:
    """The first line of a comment, and what comes behind it and empty lines."""
    if comment is None:
        return {}
    first, _, rest = comment.partition("\n")
    rest = rest.lstrip("\n")
    return {"summary": first, **({"description": rest} if rest else {})}


def of_function(function: Function) -> Object:
    about = {
        "tags": [f"(rpc) {function.name}"],
        **summary(function.comment),
        "produces": [JSON, *SINGLE],
        "responses": {"200": {"description": "OK"}},
    }
    in_query = [_in_query(argument) for argument in function.arguments]
    body = {"in": "body", "name": "args", "required": True, "schema": _arguments(function)}
    return {
        "get": {**about, **({"parameters": in_query} if in_query else {})},
        "post": {**about, "parameters": [body, *references("preferParams")]},
    }


def _in_query(argument: Argument) -> Object:
    """Arrays are written as Postgres writes them, those of variadic arguments as repeated parameters."""
    given: Object = {"name": argument.name, "in": "query", "required": argument.is_required}
    if argument.is_variadic:
        items = {**types.item(argument.type), "format": argument.type.removesuffix("[]")}
        return {**given, "type": "array", "collectionFormat": "multi", "items": items}
    name = types.json_type(argument.type)
    return {**given, "format": argument.type, "type": "string" if name in (None, "array") else name}


def _arguments(function: Function) -> Object:
    """The schema of the body that a function is called with."""
    properties = {argument.name: types.value(argument.type) for argument in function.arguments}
    required = [argument.name for argument in function.arguments if argument.is_required]
    return {
        "type": "object",
        **({} if function.comment is None else {"description": function.comment}),
        **({"properties": properties} if properties else {}),
        **({"required": required} if required else {}),
    }


def chosen(functions: Iterable[Function]) -> dict[str, Function]:
    """One function for each name, since a path is one name: the overload with the most arguments."""
    best: dict[str, Function] = {}
    for function in functions:
        name = function.name
        if name not in best or _rank(function) > _rank(best[name]):
            best[name] = function
    return best


def _rank(function: Function) -> tuple[object, ...]:
    given = [(a.name, a.type, a.is_required, a.is_variadic) for a in function.arguments]
    return len(given), function.comment is not None, function.comment or "", given
