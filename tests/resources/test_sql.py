"""What happens to a caller's SQL, on a real Postgres."""

import dataclasses

import httpx
import pytest

from baseplane.resources.organizations import store as organizations
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of


async def read_only(real: Client, ref: str, query: str) -> httpx.Response:
    return await real.post(f"/v1/projects/{ref}/database/query/read-only", {"query": query})


async def exists(real: Client, ref: str, table: str) -> bool:
    found = await real.query(ref, "select to_regclass($1) is not null as v", parameters=[table])
    return bool(found.json()[0]["v"])


@pytest.fixture
async def reader(real: Client, real_rt: Runtime) -> Client:
    """Somebody with the role Read-only in the organization of the shared project."""
    async with client_of(real_rt) as other, real_rt.database.transaction() as db:
        await organizations.set_role(db, real.slug, other.user_id, "Read-only")
    return dataclasses.replace(real, token=other.token, email=other.email, user_id=other.user_id)


async def test_rows_come_as_objects_in_their_order(real: Client, project: str) -> None:
    response = await real.query(project, "select n from generate_series(1, 3) n order by n desc")
    assert response.status_code == 201
    assert response.json() == [{"n": 3}, {"n": 2}, {"n": 1}]


@pytest.mark.parametrize("query", ["create temp table t (a int)", "-- nothing", ";", "do $$ begin end $$"])
async def test_what_gives_no_rows_gives_an_empty_array(real: Client, project: str, query: str) -> None:
    response = await real.query(project, query)
    assert (response.status_code, response.text) == (201, "[]")


async def test_of_several_statements_the_last_rows_are_given(real: Client, project: str) -> None:
    assert (await real.query(project, "select 1 as a; select 2 as b from generate_series(1, 2)")).json() == [
        {"b": 2},
        {"b": 2},
    ]
    assert (await real.query(project, "select 1 as a; create temp table t ()")).json() == [{"a": 1}]
    assert (await real.query(project, "select 1 as a; select 2 as b where false")).json() == []


async def test_more_rows_than_one_chunk_arrive_whole(real: Client, project: str) -> None:
    rows = (await real.query(project, "select n from generate_series(1, 1000) n")).json()
    assert [row["n"] for row in rows] == list(range(1, 1001))
    assert len((await real.query(project, "select 1; select n from generate_series(1, 500) n")).json()) == 500


async def test_several_statements_are_one_transaction(real: Client, project: str) -> None:
    response = await real.query(project, "create table public.half (a int); select 1/0")
    assert response.json()["code"] == "22012"
    assert not await exists(real, project, "public.half")


async def test_a_syntax_error_points_at_its_place(real: Client, project: str) -> None:
    query = "select 'grüße',\n  2 as b\n  fron generate_series(1, 2)"
    response = await real.query(project, query)
    assert response.status_code == 400
    said = response.json()
    assert said["code"] == "42601"
    assert query[said["position"] - 1 :].startswith("fron")
    assert said["message"] == (
        'ERROR: 42601: syntax error at or near "fron"\nLINE 3:   fron generate_series(1, 2)\n          ^'
    )


async def test_only_newlines_count_as_lines_in_the_pointer(real: Client, project: str) -> None:
    response = await real.query(project, "select 'a\u2028b\x0b', nothing")
    assert "\nLINE 1: select 'a\u2028b\x0b', nothing\n" in response.json()["message"]


async def test_a_hint_of_postgres_reaches_the_caller(real: Client, project: str) -> None:
    said = (await real.query(project, "select relnam from pg_class")).json()
    assert said["code"] == "42703"
    assert "pg_class.relname" in said["hint"]
    assert f"HINT: {said['hint']}" in said["message"]


async def test_detail_and_context_reach_the_caller_too(real: Client, project: str) -> None:
    raising = "do $$ begin raise exception 'no' using detail = 'because', errcode = 'P0042'; end $$"
    said = (await real.query(project, raising)).json()
    assert (said["code"], said["detail"]) == ("P0042", "because")
    assert "RAISE" in said["where"]


@pytest.mark.parametrize(
    "query",
    [
        "create table public.written (a int)",
        "commit; create table public.written (a int)",
        "set default_transaction_read_only = off; create table public.written (a int)",
        "begin read write; create table public.written (a int); commit",
        "set role postgres; create table public.written (a int)",
    ],
)
async def test_read_only_refuses_to_write(real: Client, project: str, query: str) -> None:
    for response in (await real.query(project, query, read_only=True), await read_only(real, project, query)):
        assert response.status_code == 400, response.text
        assert response.json()["code"] in ("25006", "42501")
    assert not await exists(real, project, "public.written")


async def test_read_only_reads(real: Client, project: str) -> None:
    assert (await read_only(real, project, "select current_user as u")).json() == [{"u": "supabase_read_only_user"}]
    assert (await real.query(project, "select 1 as a", read_only=True)).json() == [{"a": 1}]


async def test_the_role_read_only_may_query_only_with_read_only(reader: Client, project: str) -> None:
    refused = await reader.query(project, "select 1 as a")
    assert refused.status_code == 403
    assert refused.json()["missing_permissions"] == ["database_write"]
    assert (await reader.query(project, "select 1 as a", read_only=True)).json() == [{"a": 1}]
    assert (await read_only(reader, project, "select 1 as a")).json() == [{"a": 1}]


@pytest.mark.parametrize("query", ["copy (select 1) to stdout", "create temp table t (a int); copy t from stdin"])
async def test_copy_to_or_from_the_client_is_refused(real: Client, project: str, query: str) -> None:
    response = await real.query(project, query)
    assert response.status_code == 400
    assert response.json()["message"].startswith("COPY from or to the client")
    assert (await real.query(project, "select 1 as a")).json() == [{"a": 1}]


async def test_the_null_character_is_refused(real: Client, project: str) -> None:
    response = await real.query(project, "select 1 \0 as a")
    assert (response.status_code, response.json()["message"]) == (400, "query: must not contain the null character")


async def test_half_a_surrogate_pair_is_refused(real: Client, project: str) -> None:
    path, body = f"/v1/projects/{project}/database/query", b'{"query": "select \'\\ud800\'"}'
    response = await real.call("POST", path, content=body)
    assert response.status_code == 400
    assert response.json()["message"] == "query: is not Unicode text: surrogates not allowed at character 8"


@pytest.mark.parametrize("body", [{}, {"query": ""}, {"query": "select 1", "parameters": "x"}])
async def test_a_body_without_a_query_is_refused(real: Client, project: str, body: dict[str, str]) -> None:
    assert (await real.post(f"/v1/projects/{project}/database/query", body)).status_code == 400


async def test_the_database_of_a_paused_project_says_that_it_is_paused(api: Client) -> None:
    ref = await api.active_project()
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    response = await api.query(ref, "select 1")
    assert response.status_code == 400
    assert response.json()["message"] == "This project cannot be reached: it is INACTIVE. Restore it first."


async def test_a_stranger_does_not_learn_that_the_project_exists(api: Client, stranger: Client) -> None:
    response = await stranger.query(await api.active_project(), "select 1")
    assert (response.status_code, response.json()["message"]) == (404, "Project not found")
