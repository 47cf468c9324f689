"""Migrations through the API: what is applied is in the history, what is in the history was applied."""

import asyncio

import pytest

from tests.resources.migrating import HISTORY, Migrations, migrations

__all__ = ["migrations"]


async def test_what_is_applied_is_in_the_history(migrations: Migrations) -> None:
    version = await migrations.applied("create table app.a (b int); insert into app.a values (1); -- end", name="first")
    assert await migrations.listed() == [{"version": version, "name": "first"}]
    assert await migrations.get(version) == {
        "version": version,
        "name": "first",
        "statements": ["create table app.a (b int)", "insert into app.a values (1)"],
        "created_by": migrations.client.email,
    }
    assert await migrations.sql("select b from app.a") == [{"b": 1}]


async def test_a_migration_that_fails_half_way_leaves_nothing(migrations: Migrations) -> None:
    said = await migrations.refused("create table app.a (b int);\n\nselect 1 / 0;\ncreate table app.c ()")
    assert (said["code"], said["statement"]) == ("22012", 2)
    assert said["message"] == (
        "Statement 2 of 3 of the migration, on line 3, failed. Nothing was applied or recorded.\n"
        "ERROR: 22012: division by zero\nSTATEMENT: select 1 / 0"
    )
    assert not await migrations.exists("app.a")


async def test_a_syntax_error_comes_before_anything_runs_and_points_at_its_place(migrations: Migrations) -> None:
    query = "create table app.a (b int);\nselect 'grüße' fron x;\nselect 3"
    said = await migrations.refused(query, name="typo")
    assert said["message"] == (
        "Statement 2 of 3 of migration typo, on line 2, failed. Nothing was applied or recorded.\n"
        "ERROR: 42601: syntax error at or near \"x\"\nLINE 2: select 'grüße' fron x;\n                            ^"
    )
    assert query[said["position"] - 1 :].startswith("x;")


async def test_versions_are_times_and_unique_within_a_second(migrations: Migrations) -> None:
    versions = [await migrations.applied(f"select {n}") for n in range(4)]
    assert len({*versions}) == 4
    assert versions == sorted(versions)
    assert all(len(version) == 14 and version.startswith("20") for version in versions)
    assert [row["version"] for row in await migrations.listed()] == versions


@pytest.mark.parametrize("query", ["-- nothing", ";;", " ", "/* /* */ */"])
async def test_a_migration_without_statements_is_refused(migrations: Migrations, query: str) -> None:
    said = await migrations.refused(query)
    assert said["message"] == "query: holds no statement, only blanks and comments"


async def test_the_null_character_is_refused(migrations: Migrations) -> None:
    for fields in ({}, {"name": "a\0b"}, {"rollback": "select '\0'"}):
        said = await migrations.refused("select '\0'" if not fields else "select 1", **fields)
        assert said["message"].endswith("must not contain the null character")


async def test_half_a_surrogate_pair_is_refused(migrations: Migrations) -> None:
    response = await migrations.client.call(
        "POST",
        migrations.path,
        content=b'{"query": "select \'\\ud800\'"}',
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 400, response.text


async def test_a_body_that_is_too_large_is_refused(migrations: Migrations) -> None:
    assert (await migrations.apply("select 1 --" + "x" * 11 * 1024 * 1024)).status_code == 413


@pytest.mark.parametrize(
    "statement", ["begin", "COMMIT", "rollback", "/* /* */ */ end", "abort", "prepare transaction 'x'"]
)
async def test_transaction_control_is_named_before_anything_runs(migrations: Migrations, statement: str) -> None:
    said = await migrations.refused(f"create sequence app.s;\n{statement};\nselect 1")
    assert said["message"].startswith("query: statement 2 of 3, on line 2, is ")
    assert "leave BEGIN, COMMIT and ROLLBACK out" in said["message"]


async def test_begin_and_commit_around_the_whole_are_taken_off(migrations: Migrations) -> None:
    version = await migrations.applied("BEGIN;\ncreate table app.a ();\ncreate table app.b ();\nCOMMIT;")
    assert (await migrations.get(version))["statements"] == ["create table app.a ()", "create table app.b ()"]
    said = await migrations.refused("begin;\nselect nothing;\nend")
    assert "LINE 2: select nothing" in said["message"]
    await migrations.refused("begin; commit")


async def test_savepoints_are_of_use(migrations: Migrations) -> None:
    await migrations.applied("savepoint s; create table app.a (); rollback to savepoint s; create table app.b ()")
    assert (await migrations.exists("app.a"), await migrations.exists("app.b")) == (False, True)


@pytest.mark.parametrize(
    "statement",
    [
        "create /* here */ unique index concurrently i on app.a (b)",
        "drop index concurrently app.i",
        "reindex (verbose) table concurrently app.a",
        "vacuum app.a",
        "create database other",
        "alter system set work_mem = '1MB'",
    ],
)
async def test_what_runs_in_no_transaction_is_named_before_anything_runs(
    migrations: Migrations, statement: str
) -> None:
    said = await migrations.refused(f"create table app.a (b int);\n{statement}")
    assert said["message"].startswith("query: statement 2 of 2, on line 2, is ")
    assert "a migration of its own" in said["message"]


async def test_what_only_postgres_knows_to_run_in_no_transaction_is_named_too(migrations: Migrations) -> None:
    said = await migrations.refused("create table app.a (b int); cluster")
    assert (said["code"], said["statement"]) == ("25001", 2)
    assert "HINT: Apply it as a migration of its own." in said["message"]


async def test_a_single_statement_that_runs_in_no_transaction_is_applied_without(migrations: Migrations) -> None:
    await migrations.applied("create table app.a (b int)")
    version = await migrations.applied("create index concurrently i on app.a (b)", name="index")
    assert await migrations.exists("app.i")
    assert (await migrations.get(version))["name"] == "index"
    said = await migrations.refused("create unique index concurrently i on app.a (b)")
    assert said["code"] == "42P07"
    assert "It is not recorded." in said["message"]


async def test_a_statement_that_was_applied_but_cannot_be_recorded_is_told_so(migrations: Migrations) -> None:
    await migrations.sql(
        f"drop table {HISTORY}; create view {HISTORY} as select 1 as version, 'a' as name,"
        " '{}'::text[] statements, '{}'::text[] as rollback, 'x' as created_by, 'k' as idempotency_key"
    )
    await migrations.sql("create table app.a (b int)")
    said = (await migrations.apply("create index concurrently i on app.a (b)")).json()
    assert "The statement was applied, but is not in the history: record it with PUT." in said["message"]
    await migrations.sql(f"drop view {HISTORY}")


@pytest.mark.parametrize("query", ["copy app.a from stdin", "create table app.a (b int); copy app.a(b) to stdout"])
async def test_copy_from_or_to_the_client_is_refused(migrations: Migrations, query: str) -> None:
    assert "COPY" in (await migrations.refused(query))["message"]
    assert not await migrations.exists("app.a")


async def test_rows_of_a_migration_fill_no_memory(migrations: Migrations) -> None:
    await migrations.applied("select repeat('x', 1000) from generate_series(1, 20000); create table app.a ()")


async def test_settings_and_roles_of_a_migration_end_with_it(migrations: Migrations) -> None:
    await migrations.applied(
        "create table app.a (); set role anon; set search_path = app; set client_encoding = 'LATIN1';"
        " set statement_timeout = 1; prepare p as select 1; reset statement_timeout"
    )
    await migrations.applied("set role none; set client_encoding = 'EUC_TW'", name="größer")
    for _ in range(3):
        assert await migrations.sql(
            "select current_user::text u, current_setting('client_encoding') e,"
            " (select count(*) from pg_prepared_statements) p, (select count(*) from pg_locks where locktype = 'advisory'"
            " and pid = pg_backend_pid()) l"
        ) == [{"u": "postgres", "e": "UTF8", "p": 0, "l": 0}]
    assert (await migrations.listed())[1]["name"] == "größer"


@pytest.mark.parametrize("change", ["set session authorization supabase_admin", "set role supabase_admin"])
async def test_nobody_becomes_somebody_else(migrations: Migrations, change: str) -> None:
    assert (await migrations.refused(change))["code"] in ("42501", "22023")


async def test_a_migration_that_frees_itself_of_its_transaction_is_told_the_truth(migrations: Migrations) -> None:
    unreadable = "+-" * 100  # a text that the splitter leaves whole
    said = await migrations.refused(f"create table app.a (); commit; /* {unreadable} */")
    assert "what it committed stays" in said["message"]
    assert await migrations.exists("app.a")


async def test_a_deferred_constraint_refuses_at_the_commit(migrations: Migrations) -> None:
    said = await migrations.refused(
        "create table app.a (b int unique deferrable initially deferred); insert into app.a values (1), (1)"
    )
    assert said["code"] == "23505"
    assert said["message"].startswith("The transaction could not be committed. Nothing was applied or recorded.")
    assert not await migrations.exists("app.a")


async def test_a_routine_with_a_body_of_statements_is_one_statement(migrations: Migrations) -> None:
    version = await migrations.applied(
        "create function app.f() returns int language sql begin atomic select 1; select 2; end; select app.f()"
    )
    assert len((await migrations.get(version))["statements"]) == 2


async def test_long_banners_and_long_texts_are_split(migrations: Migrations) -> None:
    banner = f"/{'*' * 300}/\n--{'-' * 300}\n/* {'=' * 300} */\n"
    version = await migrations.applied(f"{banner}select 1;\n{banner}select 'ü'")
    assert len((await migrations.get(version))["statements"]) == 2
    version = await migrations.applied(f"select '{'x' * 600_000}'; select 'ü'")
    assert (await migrations.get(version))["statements"][1] == "select 'ü'"


async def test_a_text_made_to_slow_the_splitter_down_is_left_whole(migrations: Migrations) -> None:
    async with asyncio.timeout(10):
        for run in ("/*" * 100_000, "+" * 100_000):
            assert (await migrations.refused(f"select 1 -- {run}\n; {'(' * 50_000}"))["code"] in ("54001", "42601")


async def test_a_lost_connection_leaves_nothing(migrations: Migrations) -> None:
    running = asyncio.create_task(migrations.apply("create table app.a (); select pg_sleep(30), 'mid way'"))
    while not await migrations.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where query like '%mid way%' and state = 'active' and pid <> pg_backend_pid()"
    ):
        pass
    response = await running
    assert response.status_code == 503
    assert response.json()["message"].endswith("Nothing was applied or recorded.")
    assert not await migrations.exists("app.a")
    assert await migrations.listed() == []


async def test_an_answer_lost_at_the_commit_is_looked_up(migrations: Migrations) -> None:
    kill = """
        create table app.a ();
        create function app.kill() returns trigger language plpgsql as
          'begin perform pg_terminate_backend(pg_backend_pid()); return null; end';
        create constraint trigger kill after insert on supabase_migrations.schema_migrations
          deferrable initially deferred for each row execute function app.kill()"""
    response = await migrations.apply(kill)
    assert response.status_code == 503
    assert not await migrations.exists("app.a")
    assert await migrations.listed() == []


async def test_comments_stay_with_the_statement_behind_them(migrations: Migrations) -> None:
    version = await migrations.applied(
        "-- one; two\nselect 1; -- three\n/* four */ select 2 -- five\n;; /* six */;select 3"
    )
    assert (await migrations.get(version))["statements"] == [
        "-- one; two\nselect 1",
        "-- three\n/* four */ select 2 -- five",
        "select 3",
    ]


async def test_what_is_no_statement_at_all_is_not_counted(migrations: Migrations) -> None:
    said = await migrations.refused("select 1;\nselct 1", name="typo")
    assert said["message"] == (
        "Migration typo failed. Nothing was applied or recorded.\n"
        'ERROR: 42601: syntax error at or near "selct"\nLINE 2: selct 1\n        ^'
    )
