"""What the advisors find: each lint in a schema that has its fault once, and in one that does it well."""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from baseplane.drivers.cluster import Role
from baseplane.resources.advisors import run as running
from baseplane.resources.advisors.lints import LINTS
from baseplane.resources.projects import store
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of
from tests.resources.advising import SCHEMA, advise, run
from tests.resources.advisor_cases import CASES, Case

EXPOSED = "alter role authenticator set pgrst.db_schemas = 'public, graphql_public, s, pgmq_public'"
HOSTILE = """
    create table s.grüße (id int primary key);
    create table s.pg_class (relname text primary key);
    alter table s.pg_class enable row level security;
    create policy bare on s.pg_class using (auth.uid() is null);
    create function s.format_type(oid, integer) returns text language plpgsql as 'begin raise exception ''ours''; end';
    create function s.never(name, text) returns boolean language sql set search_path = '' as 'select 1/0 = 1';
    create operator s.= (leftarg = name, rightarg = text, function = s.never);
    create domain s.text as pg_catalog.int4;
"""


@pytest.fixture(scope="module")
async def everything(real: Client, real_rt: Runtime) -> AsyncIterator[Client]:
    """The same user at an installation whose operator has switched the newer lints on."""
    settings = real_rt.settings.model_copy(update={"advisors_all": True})
    async with client_of(dataclasses.replace(real_rt, settings=settings)) as other:
        other.http.event_hooks = {}  # answers go beyond the contract on purpose
        yield dataclasses.replace(real, http=other.http)


@pytest.fixture(scope="module")
async def ref(real: Client) -> str:
    """A project whose API serves schema ``s``, which is for each test to make."""
    ref = await real.active_project()
    await run(real, ref, EXPOSED)
    return ref


async def find(api: Client, ref: str, name: str) -> list[dict[str, Any]]:
    """What the lint finds, by the door where its category is answered."""
    lints = await advise(api, ref, LINTS[name].category.lower())
    return [lint for lint in lints if lint["name"] == name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.lint)
async def test_a_lint_finds_its_fault_and_nothing_else(real: Client, everything: Client, ref: str, case: Case) -> None:
    api = real if LINTS[case.lint].is_in_contract else everything
    assert await find(api, ref, case.lint) == []
    for statements, count in ((case.fault, 1), (case.well, 0)):
        try:
            await run(api, ref, SCHEMA)
            for statement in statements.split("\n---\n"):
                await run(api, ref, statement)
            found = await find(api, ref, case.lint)
        finally:
            await run(api, ref, f"drop schema if exists s cascade; {case.cleanup}")
        assert len(found) == count, [lint["detail"] for lint in found]
        assert [lint["cache_key"] for lint in found] == [case.cache_key] * count


GRAPHQL = {f"pg_graphql_{role}_table_exposed": role for role in ("anon", "authenticated")}


def test_every_lint_has_a_case() -> None:
    assert {case.lint for case in CASES} | set(GRAPHQL) == set(LINTS)


@pytest.fixture
async def graphql(real_rt: Runtime, ref: str) -> AsyncIterator[None]:
    """As if pg_graphql, which no engine has, were installed: its entry in the catalog, made as the superuser."""
    async with real_rt.database.connection() as db:
        secret = (await store.read_secrets(db, real_rt.keyring, ref)).secret
    async with real_rt.clusters.connect(ref, Role.ADMIN, secret) as admin:
        await admin.execute("set allow_system_table_mods = on")
        await admin.execute(
            "insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)"
            " select 90000, 'pg_graphql', 10, oid, false, '1' from pg_namespace where nspname = 'graphql'"
        )
        yield
        await admin.execute("delete from pg_extension where extname = 'pg_graphql'")


@pytest.mark.usefixtures("graphql")
@pytest.mark.parametrize("lint", GRAPHQL)
async def test_graphql_tells_a_role_of_what_it_may_read(everything: Client, ref: str, lint: str) -> None:
    try:
        await run(everything, ref, f"{SCHEMA}; create view s.v as select 1 as a; create view s.w as select 1 as a")
        await run(everything, ref, f"revoke all on s.w from {GRAPHQL[lint]}")
        found = await find(everything, ref, lint)
    finally:
        await run(everything, ref, "drop schema s cascade")
    assert [finding["cache_key"] for finding in found] == [f"{lint}_s_v"]
    assert found[0]["metadata"] == {"schema": "s", "name": "v", "type": "view"}


async def test_a_new_project_has_no_faults_in_its_database(everything: Client, project: str) -> None:
    assert await advise(everything, project, lint_type="sql") == []
    assert await advise(everything, project, "performance") == []


async def test_a_finding_is_whole(real: Client, ref: str) -> None:
    try:
        await run(
            real, ref, f"{SCHEMA}; create table s.a (id int primary key); create table s.b (a int references s.a)"
        )
        (found,) = await find(real, ref, "unindexed_foreign_keys")
    finally:
        await run(real, ref, "drop schema s cascade")
    assert found == {
        "name": "unindexed_foreign_keys",
        "title": "Unindexed foreign keys",
        "level": "INFO",
        "facing": "EXTERNAL",
        "categories": ["PERFORMANCE"],
        "description": LINTS["unindexed_foreign_keys"].description,
        "detail": "Table `s.b` has a foreign key `b_a_fkey` whose columns lead no index.",
        "remediation": "https://supabase.com/docs/guides/database/database-linter?lint=0001_unindexed_foreign_keys",
        "metadata": {
            "schema": "s",
            "name": "b",
            "type": "table",
            "fkey_name": "b_a_fkey",
            "fkey_columns": [1],
        },
        "cache_key": "unindexed_foreign_keys_s_b_b_a_fkey",
    }


async def test_names_that_want_to_be_code_are_only_names(real: Client, ref: str) -> None:
    name = "a\"b'c%s{schema}\n\\;--`$1:exposed"
    quoted = '"' + name.replace('"', '""') + '"'
    try:
        await run(real, ref, f"{SCHEMA}; create table s.{quoted} (id int); create policy {quoted} on s.{quoted}")
        found = {lint["name"]: lint for lint in await advise(real, ref, lint_type="sql")}
    finally:
        await run(real, ref, "drop schema s cascade")
    assert found["rls_disabled_in_public"]["metadata"]["name"] == name
    assert (
        found["rls_disabled_in_public"]["detail"] == f"Table `s.{name}` is in the API, but row level security is off."
    )
    assert found["policy_exists_rls_disabled"]["detail"].endswith(f": `{name}`.")
    assert found["policy_exists_rls_disabled"]["cache_key"] == f"policy_exists_rls_disabled_s_{name}"


async def test_settings_and_objects_of_the_tenant_do_not_change_what_is_found(real: Client, ref: str) -> None:
    settings = {
        "search_path": "s",
        "standard_conforming_strings": "off",
        "quote_all_identifiers": "on",
        "client_encoding": "latin1",
        "statement_timeout": "1",
        "default_transaction_isolation": "serializable",
    }
    try:
        await run(real, ref, f"{SCHEMA}; {HOSTILE}")
        for name, value in settings.items():
            await run(real, ref, f"alter database postgres set {name} = '{value}'")
        await real.call("POST", f"/v1/projects/{ref}/pause")
        await real.drain()
        await real.call("POST", f"/v1/projects/{ref}/restore")
        await real.drain()
        found = {lint["name"]: lint for lint in await advise(real, ref, lint_type="sql")}
        slow = [lint["name"] for lint in await advise(real, ref, "performance")]
    finally:
        reset = "; ".join(f"alter database postgres reset {name}" for name in settings)
        await run(real, ref, f"set local statement_timeout = 0; {reset}; drop schema s cascade")
    assert set(found) == {"function_search_path_mutable", "rls_disabled_in_public"}
    assert found["rls_disabled_in_public"]["metadata"]["name"] == "grüße"
    assert "auth_rls_initplan" in slow


async def test_a_tenant_without_the_roles_of_the_api_is_answered(real: Client) -> None:
    ref = await real.active_project()
    await run(real, ref, "alter role anon rename to nobody; alter role authenticated rename to somebody")
    await run(real, ref, "create table public.t (id int)")
    assert await advise(real, ref, lint_type="sql") == []
    assert [lint["name"] for lint in await advise(real, ref, "performance")] == ["no_primary_key"]


async def test_schema_public_is_served_unless_the_tenant_says_otherwise(real: Client, project: str) -> None:
    try:
        await run(real, project, "create table public.lint_me (id int primary key)")
        assert [lint["name"] for lint in await advise(real, project, lint_type="sql")] == ["rls_disabled_in_public"]
        await run(real, project, "alter role authenticator in database postgres set pgrst.db_schemas = 'other'")
        assert await advise(real, project, lint_type="sql") == []
    finally:
        await run(real, project, "alter role authenticator in database postgres reset pgrst.db_schemas")
        await run(real, project, "drop table public.lint_me")


async def test_what_the_contract_does_not_name_is_behind_a_switch(real: Client, everything: Client, ref: str) -> None:
    try:
        await run(real, ref, f"{SCHEMA}; create table s.t (id int primary key, password text)")
        assert await find(real, ref, "sensitive_columns_exposed") == []
        assert len(await find(everything, ref, "sensitive_columns_exposed")) == 1
    finally:
        await run(real, ref, "drop schema s cascade")


async def test_of_very_many_findings_the_last_says_that_there_are_more(real: Client, ref: str) -> None:
    make = "do $$ begin for n in 1..1001 loop execute format('create table s.t%s (a int)', n); end loop; end $$"
    drop = "do $$ begin for n in 1..1001 loop execute format('drop table s.t%s', n); end loop; end $$"
    try:
        await run(real, ref, f"{SCHEMA}; {make}")
        found = await find(real, ref, "no_primary_key")
    finally:
        await run(real, ref, f"{drop}; drop schema s")
    assert len(found) == 1000
    assert found[-1]["detail"].endswith("There are more findings of this kind.")
    assert found[0]["detail"].endswith("has no primary key.")


async def test_a_long_list_of_policies_is_cut(real: Client, ref: str) -> None:
    make = "do $$ begin for n in 100..110 loop execute format('create policy p%s on s.t', n); end loop; end $$"
    try:
        await run(real, ref, f"{SCHEMA}; create table s.t (a int); {make}")
        (found,) = await find(real, ref, "policy_exists_rls_disabled")
    finally:
        await run(real, ref, "drop schema s cascade")
    names = ", ".join(f"`p{n}`" for n in range(100, 110))
    assert found["detail"].endswith(f": {names} and more.")


@pytest.mark.parametrize(
    ("name", "value"),
    [("GRACE", -running.WITHIN), ("SETUP", running.SETUP.replace(f" = {running.WITHIN * 1000};", " = 1;"))],
    ids=["by us", "by Postgres"],
)
async def test_a_database_that_finds_no_end_is_left_alone(
    real: Client, ref: str, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(running, name, value)
        response = await real.call("GET", f"/v1/projects/{ref}/advisors/performance")
    assert response.status_code == 400
    assert response.json()["message"] == running.LATE
    assert await advise(real, ref, "performance") == []


async def test_another_lint_type_is_refused(real: Client, project: str) -> None:
    response = await real.call("GET", f"/v1/projects/{project}/advisors/security", params={"lint_type": "css"})
    assert response.status_code == 400
    assert response.json()["message"].startswith("lint_type: ")


@pytest.mark.parametrize("category", ["security", "performance"])
async def test_a_paused_project_is_not_advised(api: Client, category: str) -> None:
    ref = await api.active_project()
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    response = await api.call("GET", f"/v1/projects/{ref}/advisors/{category}")
    assert response.status_code == 400
    assert response.json()["message"] == "This project cannot be reached: it is INACTIVE. Restore it first."
