"""Postgres' types and defaults in the words of OpenAPI 2.0."""

import orjson

JSON_TYPES = {
    "boolean": "boolean",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "number",
    "real": "number",
    "double precision": "number",
    "json": None,
    "jsonb": None,
}
"""By the SQL type; None is anything at all. Every type that is not here is a string, or an array."""

Object = dict[str, object]


def json_type(sql_type: str) -> str | None:
    return JSON_TYPES.get(sql_type, "array" if sql_type.endswith("[]") else "string")


def value(sql_type: str) -> Object:
    """The schema of a value: what ``format`` calls the SQL type, and the JSON type."""
    schema: Object = {"format": sql_type}
    if name := json_type(sql_type):
        schema["type"] = name
    if name == "array":
        schema["items"] = item(sql_type)
    return schema


def item(sql_type: str) -> Object:
    """The schema of an element of this array type, or of a value that is one."""
    name = json_type(sql_type.removesuffix("[]"))
    return {"type": name} if name else {}


def default(sql_type: str, expression: str) -> object | None:
    """A default as JSON; None where the expression is nothing that JSON can say.

    That of a string is the literal's text, or the expression itself, such as now(). Like PostgREST, we take it for the
    inside of a JSON string: a doubled quote stays doubled, and what holds a double quote or a bad escape is left out.
    """
    if json_type(sql_type) == "string":
        cast = f"::{sql_type}"
        literal = expression.removesuffix(cast).strip("'") if expression.endswith(cast) else expression
        expression = f'"{literal}"'
    try:
        orjson.loads(expression)
    except orjson.JSONDecodeError:
        return None
    return orjson.Fragment(expression)  # as it stands: numbers keep all their digits
