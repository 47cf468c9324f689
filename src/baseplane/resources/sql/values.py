"""Postgres values as JSON, from the text that Postgres sends: nothing is parsed that JSON can hold as it is.

The shapes are those that the official clients check (clients.md, section 5.4): integers of any width are JSON
numbers, json and jsonb are JSON, arrays are arrays. Numbers that JSON cannot hold exactly (numeric) are strings.
"""

from collections.abc import Callable

import orjson

Value = object
Convert = Callable[[bytes], Value]


def _raw(text: bytes) -> Value:
    return orjson.Fragment(text)


def _boolean(text: bytes) -> Value:
    return text == b"t"


def _float(text: bytes) -> Value:
    if text in (b"NaN", b"Infinity", b"-Infinity"):
        return text.decode()
    return float(text)


def _text(text: bytes) -> Value:
    return text.decode()


# By OID of the type, as in pg_type.dat of Postgres; every other type is text.
SCALARS: dict[int, Convert] = {
    16: _boolean,
    20: _raw,  # int8
    21: _raw,  # int2
    23: _raw,  # int4
    26: _raw,  # oid
    114: _raw,  # json
    700: _float,  # float4
    701: _float,  # float8
    3802: _raw,  # jsonb
}
ARRAYS: dict[int, Convert] = {
    199: _raw,  # json[]
    1000: _boolean,
    1005: _raw,  # int2[]
    1007: _raw,  # int4[]
    1016: _raw,  # int8[]
    1021: _float,
    1022: _float,
    1028: _raw,  # oid[]
    3807: _raw,  # jsonb[]
    **dict.fromkeys(
        (
            1001, 1002, 1003, 1009, 1014, 1015, 1041, 1115, 1182, 1183, 1185, 1187, 1231, 1270, 2951, 651, 1040,
        ),
        _text,
    ),
}  # fmt: skip


def converter(oid: int) -> Convert:
    """How values of this type become JSON."""
    if element := ARRAYS.get(oid):
        return lambda text: _array(text.decode(), element)
    return SCALARS.get(oid, _text)


def _array(text: str, element: Convert) -> Value:
    r"""An array literal, such as {1,NULL,"a \"b\""} or {{1,2},{3,4}}; bounds like [0:1]= are dropped."""
    if text.startswith("["):
        text = text[text.index("=") + 1 :]
    value, _ = _elements(text, 1, element)
    return value


def _elements(text: str, at: int, element: Convert) -> tuple[list[Value], int]:
    """The elements from behind an opening brace; gives where the matching one closes."""
    values: list[Value] = []
    while text[at] != "}":
        if text[at] == "{":
            nested, at = _elements(text, at + 1, element)
            values.append(nested)
            at += 1
        elif text[at] == '"':
            quoted, at = _quoted(text, at + 1)
            values.append(element(quoted.encode()))
        else:
            end = min(place for place in (text.find(",", at), text.find("}", at)) if place >= 0)
            word, at = text[at:end], end
            values.append(None if word == "NULL" else element(word.encode()))
        at += text[at] == ","
    return values, at


def _quoted(text: str, at: int) -> tuple[str, int]:
    """The text of a quoted element, and the place behind its closing quote."""
    parts: list[str] = []
    while True:
        quote, escape = text.index('"', at), text.find("\\", at)
        if not 0 <= escape < quote:
            return "".join([*parts, text[at:quote]]), quote + 1
        parts.append(text[at:escape] + text[escape + 1])
        at = escape + 2
