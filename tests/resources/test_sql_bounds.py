"""What one caller's SQL can neither exceed nor leave behind nor become."""

import asyncio

import httpx
import pytest

from baseplane.errors import Unavailable
from baseplane.resources.projects import queries
from baseplane.runtime import Runtime
from tests.conftest import Client, Limited

BACKENDS = "select count(*)::int as n from pg_stat_activity where state = 'active' and query like $1"


async def test_a_query_ends_at_the_time_limit(limited: Limited, project: str) -> None:
    async with limited(query_timeout=0.3) as caller:
        response = await caller.query(project, "select pg_sleep(10)")
    assert response.status_code == 400
    assert response.json()["code"] == "57014"


async def test_a_caller_who_lifts_the_time_limit_is_cancelled(
    limited: Limited, real: Client, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "GRACE", 0.2)
    async with limited(query_timeout=0.3) as caller:
        response = await caller.query(project, "set statement_timeout = 0; select pg_sleep(10), 'lifted'")
    assert (response.status_code, response.json()["code"]) == (400, "57014")
    assert (await real.query(project, BACKENDS, parameters=["%pg_sleep(10), 'lifted'"])).json() == [{"n": 0}]


async def test_an_answer_with_too_many_rows_is_refused_and_leaves_nothing(real: Client, project: str) -> None:
    query = "select n, 'many' from generate_series(1, 10000000) n"
    response = await real.query(project, f"create table public.left_behind (); {query}")
    assert response.status_code == 413
    assert "more than 1000 rows" in response.json()["message"]
    left = "select to_regclass('public.left_behind')::text as t"
    assert (await real.query(project, left)).json() == [{"t": None}]


async def test_an_answer_with_too_many_bytes_is_refused(real: Client, project: str) -> None:
    response = await real.query(project, "select repeat('x', 100000) as large from generate_series(1, 100)")
    assert response.status_code == 413
    assert "more than 0.95" in response.json()["message"]


async def test_rows_that_are_not_given_do_not_count(real: Client, project: str) -> None:
    query = "; ".join(["select n from generate_series(1, 900) n"] * 3)
    assert len((await real.query(project, query)).json()) == 900


@pytest.mark.parametrize(
    ("leave", "look", "clean"),
    [
        ("set work_mem = '7MB'", "select current_setting('work_mem') <> '7MB' as clean", True),
        ("create temp table leftover ()", "select to_regclass('pg_temp.leftover') is null as clean", True),
        ("select pg_advisory_lock(42)", "select pg_try_advisory_lock(42) as clean", True),
        ("set role anon", "select current_user = 'postgres' as clean", True),
        ("set role none", "select current_user = 'postgres' as clean", True),
        ("listen news", "select not exists (select from pg_listening_channels()) as clean", True),
        ("prepare p as select 1", "select not exists (select from pg_prepared_statements) as clean", True),
        ("begin; create table public.open ()", "select to_regclass('public.open') is null as clean", True),
        ("set default_transaction_read_only = on", "create temp table w (); select true as clean", True),
        ("set search_path = nowhere", "select current_setting('search_path') <> 'nowhere' as clean", True),
    ],
)
async def test_the_next_query_finds_nothing_of_the_last_one(
    real: Client, project: str, leave: str, look: str, clean: object
) -> None:
    assert (await real.query(project, leave)).status_code == 201
    looks = await asyncio.gather(*(real.query(project, look) for _ in range(1 if "advisory" in look else 3)))
    assert [response.json() for response in looks] == [[{"clean": clean}]] * len(looks)


async def test_the_time_limit_of_one_query_is_not_that_of_the_next(real: Client, project: str) -> None:
    await real.query(project, "set statement_timeout = 0")
    shown = await real.query(project, "show statement_timeout")
    assert shown.json() == [{"statement_timeout": "5s"}]


@pytest.mark.parametrize("query", ["reset role", "set role none", "reset session authorization", "discard all"])
async def test_giving_the_role_back_wins_nothing(real: Client, project: str, query: str) -> None:
    who = "select rolsuper, rolcreaterole, session_user from pg_roles where rolname = current_user"
    response = await real.query(project, query)
    assert response.status_code in (201, 400)
    if query != "discard all":
        (found,) = (await real.query(project, f"{query}; {who}")).json()
        assert (found["rolsuper"], found["session_user"]) == (False, "baseplane_query")


@pytest.mark.parametrize(
    "query",
    [
        "set session authorization supabase_admin",
        "set role supabase_admin",
        "set role none; set role supabase_admin",
        "set role none; set role supabase_read_only_user",
        "alter role supabase_admin password 'x'",
        "grant supabase_admin to postgres",
        "alter role postgres superuser",
        "set role none; alter role baseplane_query superuser",
    ],
)
async def test_a_tenant_does_not_become_more_than_postgres(real: Client, project: str, query: str) -> None:
    response = await real.query(project, query)
    assert (response.status_code, response.json()["code"]) == (400, "42501"), response.text


async def test_a_tenant_who_spoils_the_platforms_role_does_not_lock_the_api_out(real: Client, project: str) -> None:
    await real.query(project, "set role none; alter role baseplane_query password 'x'")
    query = "select current_user as u, pg_sleep(0.05)::text as s"
    answers = await asyncio.gather(*(real.query(project, query) for _ in range(5)))
    assert [answer.json() for answer in answers] == [[{"u": "postgres", "s": ""}]] * 5


async def test_a_new_password_lets_in_and_the_old_one_no_more(real: Client, real_rt: Runtime, project: str) -> None:
    path = f"/v1/projects/{project}/database/password"

    async def change(password: str) -> httpx.Response:
        asking = asyncio.create_task(real.call("PATCH", path, json={"password": password}))
        while not asking.done():
            await real.drain()
        return await asking

    answer = await change("new; 'pass' ü")
    assert (answer.status_code, answer.json()) == (200, {"message": "Successfully updated password"})
    await real_rt.door.probe(project, "postgres", "new; 'pass' ü")
    with pytest.raises(Unavailable, match="password authentication failed"):
        await real_rt.door.probe(project, "postgres", "correct horse")
    await change("correct horse")
    await real_rt.door.probe(project, "postgres", "correct horse")


async def test_what_is_refused_as_too_large_has_not_happened(real: Client, project: str) -> None:
    wide = "create table public.left_behind (); select repeat('x', 100000) as x from generate_series(1, 100)"
    assert (await real.query(project, wide)).status_code == 413
    left = await real.query(project, "select to_regclass('public.left_behind') as left")
    assert left.json() == [{"left": None}]


async def test_what_cannot_run_in_a_transaction_runs_without(real: Client, project: str) -> None:
    assert (await real.query(project, "vacuum")).status_code == 201
    refused = await real.query(project, "create table public.never (); vacuum")
    assert refused.json()["code"] == "25001"
    left = await real.query(project, "select to_regclass('public.never') as left")
    assert left.json() == [{"left": None}]


async def test_a_deferred_constraint_speaks_up_at_the_commit(real: Client, project: str) -> None:
    broken = await real.query(
        project,
        "create table public.d (a int unique deferrable initially deferred); insert into public.d values (1), (1)",
    )
    assert (broken.status_code, broken.json()["code"]) == (400, "23505")
