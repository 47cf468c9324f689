"""How a project's REST server is set, over the API."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from baseplane.database import Database
from baseplane.drivers.cluster import Role
from baseplane.resources.projects import store as projects
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of

DEFAULTS = {
    "db_schema": "public,graphql_public",
    "db_extra_search_path": "public,extensions",
    "max_rows": 1000,
    "db_pool": None,
}


@pytest.fixture
async def ref(real: Client, project: str, database: Database, worker: None) -> AsyncIterator[str]:
    """The shared project, as if nobody had set anything."""
    yield project
    async with database.connection() as db:
        await db.execute("delete from postgrest where project_ref = %s", [project])
    await real.query(project, "drop schema if exists api cascade; drop schema if exists other cascade")


async def patch(api: Client, ref: str, **fields: Any) -> httpx.Response:
    return await api.call("PATCH", f"/v1/projects/{ref}/postgrest", json=fields)


async def settings_inside(rt: Runtime, ref: str) -> set[str]:
    async with rt.database.connection() as db:
        secret = (await projects.read_secrets(db, rt.keyring, ref)).secret
    async with rt.clusters.connect(ref, Role.ADMIN, secret) as db:
        query = "select unnest(setconfig) from pg_db_role_setting where setrole = 'authenticator'::regrole"
        return {str(row[0]) for row in await (await db.execute(query)).fetchall()}


async def test_a_new_project_has_the_defaults_and_its_jwt_secret(real: Client, ref: str) -> None:
    config = await real.get(f"/v1/projects/{ref}/postgrest")
    assert len(config.pop("jwt_secret")) > 32
    assert config == DEFAULTS


async def test_what_is_sent_is_kept_as_it_was_sent_and_the_rest_stays(real: Client, real_rt: Runtime, ref: str) -> None:
    await real.query(ref, "create schema api")
    changed = await patch(real, ref, db_schema="public, api", max_rows=77)
    assert (changed.status_code, changed.json()) == (200, {**DEFAULTS, "db_schema": "public, api", "max_rows": 77})
    changed = await patch(real, ref, db_pool=9, db_extra_search_path="extensions")
    expected = {"db_schema": "public, api", "max_rows": 77, "db_pool": 9, "db_extra_search_path": "extensions"}
    assert changed.json() == expected
    seen = await real.get(f"/v1/projects/{ref}/postgrest")
    assert {name: seen[name] for name in expected} == expected
    inside = await settings_inside(real_rt, ref)
    assert {
        "pgrst.db_schemas=public,api",
        "pgrst.db_max_rows=77",
        "pgrst.db_extra_search_path=extensions",
    } <= inside


async def test_servers_that_run_are_told(real: Client, real_rt: Runtime, ref: str) -> None:
    async with real_rt.database.connection() as db:
        secret = (await projects.read_secrets(db, real_rt.keyring, ref)).secret
    async with real_rt.clusters.connect(ref, Role.OWNER, secret) as listener:
        await listener.execute("listen pgrst")
        assert (await patch(real, ref, max_rows=5)).status_code == 200
        heard = [note.payload async for note in listener.notifies(timeout=5, stop_after=2)]
    assert heard == ["reload config", "reload schema"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"db_schema": "public, nowhere,neither"}, ["db_schema", '"nowhere", "neither"', "graphql_public, public"]),
        ({"db_extra_search_path": "gone"}, ["db_extra_search_path", '"gone"']),
        ({"db_schema": "public,auth"}, ["db_schema", '"auth"', "system"]),
        ({"db_schema": "vault"}, ["db_schema", '"vault"']),
        ({"db_schema": "pg_catalog"}, ["db_schema", '"pg_catalog"']),
        ({"db_schema": "information_schema"}, ["db_schema", '"information_schema"']),
        ({"db_schema": '"public"; drop schema public'}, ["db_schema", "drop schema public"]),
        ({"db_schema": "public\0"}, ["db_schema", "null character"]),
        ({"db_schema": None}, ["db_schema"]),
        ({"db_schema": "p" * 10_001}, ["db_schema", "10000"]),
        ({"max_rows": -1}, ["max_rows"]),
        ({"max_rows": 1_000_001}, ["max_rows"]),
        ({"db_pool": 1001}, ["db_pool"]),
        ({"db_pool": 51}, ["db_pool", "50 connections", "nano"]),
        ({"db_pool": "many"}, ["db_pool"]),
    ],
)
async def test_what_cannot_be_is_refused_by_name(real: Client, ref: str, fields: Any, said: list[str]) -> None:
    answer = await patch(real, ref, **fields)
    assert answer.status_code == 400, answer.text
    assert [part for part in said if part not in answer.json()["message"]] == [], answer.json()
    seen = await real.get(f"/v1/projects/{ref}/postgrest")
    assert {name: seen[name] for name in DEFAULTS} == DEFAULTS


async def test_a_pool_of_none_goes_by_the_compute_size(real: Client, ref: str) -> None:
    assert (await patch(real, ref, db_pool=50)).json()["db_pool"] == 50
    assert (await patch(real, ref, db_pool=0)).json()["db_pool"] is None


async def test_the_jwt_secret_is_for_those_who_may_read_keys(real: Client, real_rt: Runtime, ref: str) -> None:
    async with client_of(real_rt, "Read-only") as reader:
        async with real_rt.database.connection() as db:
            await db.execute(
                "insert into members (organization_slug, user_id, role) values (%s, %s, 'Read-only')",
                [real.slug, reader.user_id],
            )
        assert await reader.get(f"/v1/projects/{ref}/postgrest") == DEFAULTS
        assert (await patch(reader, ref, max_rows=1)).status_code == 403


async def test_a_paused_project_is_not_set(api: Client) -> None:
    ref = await api.active_project()
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    answer = await patch(api, ref, max_rows=5)
    assert answer.status_code == 400
    assert "INACTIVE" in answer.json()["message"]
    assert (await api.get(f"/v1/projects/{ref}/postgrest"))["max_rows"] == 1000


@pytest.mark.parametrize(
    "setting", ["jwt_secret = '@/etc/passwd'", "db_pre_config = 'public.evil'", "db_uri = 'x'", "server_port = '1'"]
)
async def test_a_tenants_sql_sets_nothing_that_reaches_beyond_the_database(
    real: Client, ref: str, setting: str
) -> None:
    for target in ("role authenticator", "database postgres", "role authenticator in database postgres"):
        answer = await real.query(ref, f"alter {target} set pgrst.{setting}")
        assert answer.status_code == 400, (target, answer.text)
        assert "permission denied" in answer.json()["message"]


@pytest.mark.parametrize(
    "role",
    [
        *("postgres", "supabase_admin", "baseplane_query", "supabase_read_only_user", "pgbouncer"),
        *("supabase_auth_admin", "pg_read_server_files", "pg_execute_server_program", "pg_write_all_data"),
    ],
)
async def test_a_tenants_sql_gives_the_servers_login_no_role_of_the_platform(real: Client, ref: str, role: str) -> None:
    answer = await real.query(ref, f"grant {role} to authenticator")
    assert answer.status_code == 400, answer.text
    assert "permission denied to grant role" in answer.json()["message"]


async def test_strangers_do_not_see_it(stranger: Client, ref: str) -> None:
    assert (await stranger.call("GET", f"/v1/projects/{ref}/postgrest")).status_code == 404
    assert (await patch(stranger, ref, max_rows=5)).status_code == 404
