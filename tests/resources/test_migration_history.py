"""The history of migrations when its table is not what it should be, and what holds a migration up."""

import asyncio

import pytest

from baseplane.drivers.cluster import Role
from baseplane.drivers.cluster.layout import Layout
from baseplane.resources.projects import queries, store
from baseplane.runtime import Runtime
from tests.conftest import Client, Limited
from tests.resources.migrating import HISTORY, Migrations, migrations

__all__ = ["migrations"]


@pytest.mark.parametrize("gone", ["drop table " + HISTORY, "drop schema supabase_migrations cascade"])
async def test_a_dropped_history_is_empty_and_made_again(migrations: Migrations, gone: str) -> None:
    await migrations.sql(gone)
    assert await migrations.listed() == []
    assert (await migrations.client.call("GET", f"{migrations.path}/1")).status_code == 404
    version = await migrations.applied("select 1", name="a")
    assert await migrations.listed() == [{"version": version, "name": "a"}]


async def test_a_table_of_an_old_cli_is_completed(migrations: Migrations) -> None:
    await migrations.sql(
        f"drop table {HISTORY}; create table {HISTORY} (version text primary key);"
        f" insert into {HISTORY} values ('1'), ('0002')"
    )
    assert await migrations.listed() == [{"version": "0002"}, {"version": "1"}]
    assert await migrations.get("1") == {"version": "1"}
    version = await migrations.applied("select 1", name="a", key="k")
    assert (await migrations.get(version))["idempotency_key"] == "k"


async def test_a_table_with_all_columns_is_not_locked(migrations: Migrations) -> None:
    await migrations.applied("select 1")
    await migrations.applied(
        "do $$ begin assert not exists (select from pg_locks where relation = "
        f"'{HISTORY}'::regclass and mode = 'AccessExclusiveLock'); end $$"
    )


COLUMNS = "name text, statements text[], rollback text[], created_by text, idempotency_key text"
HOSTILE = {
    "a view": f"create view {HISTORY} as select '1'::text as version",
    "an endless view": f"""create view {HISTORY} as select n::text as version, 'x' as name, array['x'] as statements,
      array['x'] as rollback, 'x' as created_by, 'x' as idempotency_key from generate_series(1, 100000000) n""",
    "a huge value": f"""create view {HISTORY} as select '1' as version, repeat('x', 100000000) as name,
      array['x'] as statements, array['x'] as rollback, 'x' as created_by, 'x' as idempotency_key""",
    "other types": f"create table {HISTORY} (version bytea, name point, statements jsonb, rollback jsonb,"
    " created_by int, idempotency_key int)",
    "numbers": f"create table {HISTORY} (version bigint, {COLUMNS}); insert into {HISTORY} values (1)",
    "a trigger that swallows": f"""create table {HISTORY} (version text, {COLUMNS});
      create function app.t() returns trigger language plpgsql as 'begin return null; end';
      create trigger t before insert on {HISTORY} for each row execute function app.t()""",
    "a trigger that fails": f"""create table {HISTORY} (version text, {COLUMNS});
      create function app.t() returns trigger language plpgsql as 'begin raise exception ''no''; end';
      create trigger t before insert on {HISTORY} for each row execute function app.t()""",
    "a rule": f"""create table {HISTORY} (version text, {COLUMNS});
      create rule r as on insert to {HISTORY} do instead nothing""",
    "no rights": f"create table {HISTORY} (version text, {COLUMNS}); revoke all on {HISTORY} from postgres",
    "a sequence": f"create sequence {HISTORY}",
}


REQUESTS: tuple[tuple[str, str, dict[str, str] | None], ...] = (
    ("GET", "", None),
    ("GET", "/1", None),
    ("POST", "", {"query": "create table app.a ()"}),
    ("PUT", "", {"query": "create table app.a ()", "name": "20200102030405_a"}),
    ("PATCH", "/1", {"name": "b"}),
    ("DELETE", "?gte=1", None),
)


@pytest.mark.parametrize("how", HOSTILE)
async def test_a_history_of_another_kind_is_refused_clearly(
    limited: Limited, migrations: Migrations, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "GRACE", 0.2)
    await migrations.sql(f"drop table {HISTORY}; {HOSTILE[how]}")
    short = {"query_timeout": 0.3, "migration_timeout": 0.3, "migration_lock_timeout": 0.2}
    async with limited(**short, query_max_bytes=100_000) as caller:
        for method, path, body in REQUESTS:
            response = await caller.call(method, migrations.path + path, json=body)
            assert response.status_code in (200, 400, 404, 409, 413), response.text
            if method in ("POST", "PUT"):
                assert response.status_code in (400, 409, 413)
    assert not await migrations.exists("app.a")


async def test_a_lock_that_others_hold_is_waited_for_in_bounds_and_named(
    limited: Limited, real_rt: Runtime, migrations: Migrations, project: str
) -> None:
    await migrations.sql("create table app.a (b int)")
    holder = asyncio.create_task(migrations.sql("lock table app.a; select pg_sleep(2), 'held'"))
    async with limited(migration_lock_timeout=0.3) as caller:
        while not await migrations.sql("select from pg_locks where relation = 'app.a'::regclass and granted"):
            pass
        response = await caller.post(migrations.path, {"query": "select 1;\nalter table app.a add c int"})
        assert (response.status_code, response.json()["code"]) == (400, "55P03")
        message = response.json()["message"]
        assert message.startswith("Statement 2 of 2 of the migration, on line 2, failed. Nothing was applied")
        assert "\nHELD BY: process " in message
        assert "(baseplane, role baseplane_query, active for " in message
        assert "lock table app.a; select pg_sleep(2), 'held'" in message
    holder.cancel()
    await asyncio.wait([holder])


async def test_a_migration_before_it_is_waited_for_in_bounds_and_named(
    limited: Limited, migrations: Migrations
) -> None:
    first = asyncio.create_task(migrations.apply("create table app.a (); select pg_sleep(1.5), 'first'"))
    while not await migrations.sql("select from pg_locks where locktype = 'advisory'"):
        pass
    async with limited(migration_lock_timeout=0.3) as caller:
        response = await caller.post(migrations.path, {"query": "create table app.b ()"})
    assert response.status_code == 409
    assert response.json()["message"].startswith("Another migration of this project has run for more than 0.3 s.\nHELD")
    assert (await first).status_code == 200


async def test_a_migration_that_takes_too_long_is_ended(limited: Limited, migrations: Migrations) -> None:
    async with limited(migration_timeout=0.3) as caller:
        response = await caller.post(migrations.path, {"query": "create table app.a (); select pg_sleep(10)"})
    assert (response.status_code, response.json()["code"]) == (400, "57014")
    assert not await migrations.exists("app.a")


async def test_a_project_that_is_paused_says_so(api: Client) -> None:
    ref = await api.active_project()
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    for response in (
        await api.call("GET", f"/v1/projects/{ref}/database/migrations"),
        await api.post(f"/v1/projects/{ref}/database/migrations", {"query": "select 1"}),
    ):
        assert response.status_code == 400
        assert response.json()["message"] == "This project cannot be reached: it is INACTIVE. Restore it first."


async def test_a_migration_whose_answer_was_lost_after_the_commit_is_a_success(real: Client, real_rt: Runtime) -> None:
    """A commit that waits for a standby is on disk already; the session that waits is ended."""
    migrations = Migrations(real, await real.active_project())
    await migrations.applied("select 1")
    configuration = Layout(real_rt.settings.data_dir).cluster(migrations.ref).data / "postgresql.auto.conf"
    configuration.write_text("synchronous_standby_names = 'nobody'\n")
    async with real_rt.database.connection() as db:
        secret = (await store.read_secrets(db, real_rt.keyring, migrations.ref)).secret
    async with real_rt.clusters.connect(migrations.ref, Role.ADMIN, secret) as db:
        await db.execute("select pg_reload_conf()")
    running = asyncio.create_task(migrations.apply("create table public.a ()", name="a"))
    while not await migrations.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'"
    ):
        pass
    assert (await running).status_code == 200
    assert (await migrations.listed())[1]["name"] == "a"
