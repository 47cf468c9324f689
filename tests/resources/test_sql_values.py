"""Postgres values as the JSON that the official clients expect."""

import json
from typing import Any

import pytest

from tests.conftest import Client


async def value(real: Client, project: str, expression: str) -> Any:
    response = await real.query(project, f"select {expression} as v")
    assert response.status_code == 201, response.text
    return response.json()[0]["v"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("true", True),
        ("false", False),
        ("null::int", None),
        ("7::int2", 7),
        ("-7::int4", -7),
        ("26::oid", 26),
        ("0.1::float4", 0.1),
        ("1.5e300::float8", 1.5e300),
        ("'NaN'::float8", "NaN"),
        ("'Infinity'::float8", "Infinity"),
        ("'-Infinity'::float4", "-Infinity"),
        ("12345678901234567890.10::numeric", "12345678901234567890.10"),
        ("'grüße 🐘'::text", "grüße 🐘"),
        ("''::text", ""),
        ("'2026-01-02'::date", "2026-01-02"),
        ("'\\xdead'::bytea", "\\xdead"),
        ('\'{"a": [1, null, "x"]}\'::json', {"a": [1, None, "x"]}),
        ('\'{"a": [1, null, "x"]}\'::jsonb', {"a": [1, None, "x"]}),
        ("'null'::jsonb", None),
        ("'\"text\"'::jsonb", "text"),
    ],
)
async def test_a_value_becomes_the_json_that_says_the_same(
    real: Client, project: str, expression: str, expected: object
) -> None:
    assert await value(real, project, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'{}'::int[]", []),
        ("array[1, null, 3]", [1, None, 3]),
        ("array[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("array[[[1], [2]], [[3], [4]]]", [[[1], [2]], [[3], [4]]]),
        ("'[0:1]={5,6}'::int[]", [5, 6]),
        ("'[-1:0][2:3]={{1,2},{3,4}}'::int[]", [[1, 2], [3, 4]]),
        ("array[true, false, null]", [True, False, None]),
        ("array['NaN'::float8, 1.5]", ["NaN", 1.5]),
        ("array[1.10::numeric]", ["1.10"]),
        ("array['a', '', 'NULL', null]", ["a", "", "NULL", None]),
        (r"""array['a"b', 'a\b', 'a,b', '{x}', ' ', 'ü']""", ['a"b', r"a\b", "a,b", "{x}", " ", "ü"]),
        ("array['[0:1]=']", ["[0:1]="]),
        ("""array['{"a": "b\\"c"}', '[1]', 'null']::json[]""", [{"a": 'b"c'}, [1], None]),
        ("""array['{"a": {}}', '2']::jsonb[]""", [{"a": {}}, 2]),
        ("'{}'::text[]", []),
        ("array['2026-01-02'::date]", ["2026-01-02"]),
    ],
)
async def test_an_array_becomes_an_array(real: Client, project: str, expression: str, expected: object) -> None:
    assert await value(real, project, expression) == expected


async def test_an_int8_keeps_every_digit_as_a_json_number(real: Client, project: str) -> None:
    response = await real.query(project, "select 9007199254740993 as v, array[-9223372036854775808] as a")
    assert response.text == '[{"v":9007199254740993,"a":[-9223372036854775808]}]'


async def test_of_columns_with_one_name_the_last_one_counts(real: Client, project: str) -> None:
    assert (await real.query(project, "select 1 as a, 2 as b, 3 as a")).json() == [{"a": 3, "b": 2}]


async def test_a_column_without_a_name_is_called_as_postgres_calls_it(real: Client, project: str) -> None:
    assert (await real.query(project, "select 1")).json() == [{"?column?": 1}]


@pytest.mark.parametrize(
    ("given", "cast"),
    [
        (1, "int"),
        (2**53 + 1, "int8"),
        (-(2**63), "int8"),
        (1.5, "float8"),
        (True, "boolean"),
        (False, "boolean"),
        (None, "text"),
        ("O'Reilly; -- ü", "text"),
        ("", "text"),
        ({"a": [1, None, "ü"]}, "jsonb"),
        ([1, {"b": True}], "json"),
    ],
)
async def test_a_parameter_arrives_as_it_was_given(real: Client, project: str, given: object, cast: str) -> None:
    response = await real.query(project, f"select $1::{cast} as v", parameters=[given])
    assert response.json() == [{"v": given}], response.text


async def test_an_integer_parameter_may_be_larger_than_64_bits(real: Client, project: str) -> None:
    response = await real.query(project, "select $1::numeric as v", parameters=[2**80])
    assert response.json() == [{"v": str(2**80)}]


async def test_several_parameters_are_told_apart(real: Client, project: str) -> None:
    response = await real.query(project, "select $2::text as b, $1::int + $3 as s", parameters=[1, "x", 2])
    assert response.json() == [{"b": "x", "s": 3}]


async def test_a_parameter_that_is_missing_is_said_to_be(real: Client, project: str) -> None:
    response = await real.query(project, "select $1::int, $2::int", parameters=[1])
    assert response.status_code == 400
    assert response.json()["code"] == "08P01"


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
async def test_text_that_postgres_cannot_hold_is_refused_not_cut_off(real: Client, project: str, text: str) -> None:
    body = json.dumps({"query": "select $1::text as v", "parameters": [text]}).encode()
    response = await real.call("POST", f"/v1/projects/{project}/database/query", content=body)
    assert response.status_code == 400, response.text
    assert response.json()["message"].startswith("parameters.0: ")


async def test_a_client_encoding_of_the_callers_own_does_not_garble_the_answer(real: Client, project: str) -> None:
    response = await real.query(project, "set client_encoding = 'latin1'; select chr(233) as v")
    assert response.status_code in (201, 400), response.text
    assert (await real.query(project, "select chr(233) as v")).json() == [{"v": "é"}]
