"""What a new project's cluster promises its users. What it refuses them is in test_bootstrap_attacks.py."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from baseplane.drivers.cluster import bootstrap
from tests.drivers.bootstrapped import Cluster, engine_homes, running, trusting


@pytest.fixture(scope="module", params=engine_homes(), ids=lambda home: home.name)
def engine(request: pytest.FixtureRequest) -> Iterator[Path]:
    with trusting(request.param) as home:
        yield home


@pytest.fixture(scope="module")
def cluster(engine: Path) -> Iterator[Cluster]:
    with running(engine) as cluster:
        yield cluster


ROLES = {
    "anon": "",
    "authenticated": "",
    "service_role": "bypassrls",
    "authenticator": "login",
    "supabase_auth_admin": "login",
    "supabase_storage_admin": "login",
    "supabase_functions_admin": "login",
    "supabase_realtime_admin": "",
    "supabase_replication_admin": "login replication",
    "supabase_etl_admin": "login replication bypassrls",
    "supabase_read_only_user": "login bypassrls",
    "dashboard_user": "",
    "pgbouncer": "login",
    "postgres": "login createdb createrole bypassrls",
    "baseplane_query": "login",
    "supabase_admin": "login createdb createrole superuser replication bypassrls",
}


def test_the_files_come_in_the_order_of_their_names() -> None:
    names = [name for name, _ in bootstrap.statements()]
    assert names == sorted(names)
    assert names[0] == "10_roles.sql"


def test_the_digest_is_that_of_the_text() -> None:
    assert bootstrap.digest() == bootstrap.digest()
    assert len(bootstrap.digest()) == 64


def test_roles_have_the_attributes_of_the_hosted_platform_and_no_more(cluster: Cluster) -> None:
    words = ("login", "createdb", "createrole", "super", "replication", "bypassrls")
    rows = cluster.rows(
        "supabase_admin",
        "select rolname, rolcanlogin, rolcreatedb, rolcreaterole, rolsuper, rolreplication, rolbypassrls"
        " from pg_roles where rolname !~ '^pg_'",
    )
    found = {name: {word for word, has in zip(words, flags, strict=True) if has} for name, *flags in rows}
    wanted = {name: set(text.replace("superuser", "super").split()) for name, text in ROLES.items()}
    assert {name: found[name] for name in wanted} == wanted


def test_no_role_has_a_password(cluster: Cluster) -> None:
    assert cluster.value("supabase_admin", "select count(*) from pg_authid where rolpassword is not null") == 0


@pytest.mark.parametrize(
    ("role", "setting"),
    [
        ("anon", "statement_timeout=3s"),
        ("authenticated", "statement_timeout=8s"),
        ("authenticator", "statement_timeout=8s"),
        ("authenticator", "lock_timeout=8s"),
        ("supabase_read_only_user", "default_transaction_read_only=on"),
        ("baseplane_query", "role=postgres"),
        ("supabase_admin", "search_path=pg_catalog, pg_temp"),
    ],
)
def test_a_role_starts_with_its_setting(cluster: Cluster, role: str, setting: str) -> None:
    assert setting in cluster.value("supabase_admin", f"select rolconfig from pg_roles where rolname = '{role}'")


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_the_authenticator_becomes_the_roles_of_the_api(cluster: Cluster, role: str) -> None:
    assert cluster.value("authenticator", f"set role {role}", "select current_user") == role


def test_sql_of_the_api_runs_as_postgres(cluster: Cluster) -> None:
    assert cluster.rows("baseplane_query", "select current_user, session_user, current_schemas(false)") == [
        ("postgres", "baseplane_query", ["public", "extensions"])
    ]


def test_postgres_owns_the_database_and_what_it_makes(cluster: Cluster) -> None:
    owner = "select datdba::regrole::text from pg_database where datname = 'postgres'"
    assert cluster.value("postgres", owner) == "postgres"
    cluster.rows("baseplane_query", "create table owned ()")
    assert cluster.value("postgres", "select tableowner from pg_tables where tablename = 'owned'") == "postgres"


def test_postgres_manages_roles_that_it_makes(cluster: Cluster) -> None:
    cluster.rows(
        "baseplane_query",
        "create role app login",
        "alter role app password 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy'",
        "alter role app set statement_timeout = '1min'",
        "create schema apps authorization app",
        "grant anon to app",
    )
    assert cluster.value("app", "select current_user") == "app"
    cluster.rows("postgres", "drop schema apps", "drop role app")


def test_postgres_sets_what_postgrest_reads_from_the_authenticator(cluster: Cluster) -> None:
    cluster.rows("postgres", "alter role authenticator set pgrst.db_max_rows = '10'")
    cluster.rows("postgres", "alter role authenticator reset pgrst.db_max_rows")


def test_new_tables_in_public_are_granted_to_the_roles_of_the_api(cluster: Cluster) -> None:
    cluster.rows("postgres", "create table todos (id serial, done boolean)")
    for role in ("anon", "authenticated", "service_role"):
        cluster.rows("authenticator", f"set role {role}", "insert into todos (done) values (true)")
    assert cluster.value("supabase_read_only_user", "select count(*) from todos") == 3


def test_row_security_asks_who_calls(cluster: Cluster) -> None:
    me = "11111111-2222-3333-4444-555555555555"
    claims = json.dumps({"sub": me, "role": "authenticated", "email": "a@example.com"})
    asked = "select auth.uid()::text, auth.role(), auth.email(), auth.jwt() ->> 'sub'"
    start = f"set request.jwt.claims = '{claims}'"
    assert cluster.rows("authenticator", "set role authenticated", start, asked) == [
        (me, "authenticated", "a@example.com", me)
    ]
    nobody = [(None, None, None, None)]
    assert cluster.rows("authenticator", "set role anon", asked) == nobody
    assert cluster.rows("authenticator", "set role anon", "set request.jwt.claims = ''", asked) == nobody


def test_the_auth_server_may_replace_its_functions_and_make_its_tables(cluster: Cluster) -> None:
    cluster.rows(
        "supabase_auth_admin",
        "create schema if not exists auth",
        "create or replace function auth.role() returns text language sql stable as $$ "
        "select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' $$",
        "create table users (id uuid primary key)",
    )
    cluster.rows(
        "postgres",
        "create function public.on_user() returns trigger language plpgsql as $$ begin return new; end $$",
        "create trigger on_user after insert on auth.users for each row execute function public.on_user()",
        "create table profiles (id uuid references auth.users)",
        "insert into auth.users values (extensions.uuid_generate_v4())",
        "drop trigger on_user on auth.users",
    )
    assert cluster.value("supabase_read_only_user", "select count(*) from auth.users") == 1


def test_policies_on_tables_of_the_storage_server_are_the_tenants_to_write(cluster: Cluster) -> None:
    cluster.rows(
        "supabase_storage_admin", "create table objects (name text)", "alter table objects enable row level security"
    )
    cluster.rows("baseplane_query", "create policy all_of_it on storage.objects for select to anon using (true)")


def test_the_cli_finds_its_record_of_migrations(cluster: Cluster) -> None:
    cluster.rows(
        "baseplane_query",
        "create schema if not exists supabase_migrations",
        "create table if not exists supabase_migrations.schema_migrations (version text not null primary key)",
        "alter table supabase_migrations.schema_migrations add column if not exists statements text[]",
        "alter table supabase_migrations.schema_migrations add column if not exists name text",
        "create table if not exists supabase_migrations.seed_files (path text not null primary key, hash text not null)",
        "insert into supabase_migrations.schema_migrations values ('1', array['select 1'], 'first')",
    )


@pytest.mark.parametrize("schema", ["realtime", "storage", "graphql", "graphql_public", "supabase_functions"])
def test_the_schema_is_there_and_empty(cluster: Cluster, schema: str) -> None:
    made = f"select count(*) from pg_proc where pronamespace = '{schema}'::regnamespace"
    assert cluster.value("supabase_admin", made) == 0
    assert cluster.value("postgres", f"select has_schema_privilege('{schema}', 'usage')")


def test_the_tenant_adds_tables_to_the_realtime_publication(cluster: Cluster) -> None:
    cluster.rows("baseplane_query", "create table live (id int)", "alter publication supabase_realtime add table live")


def test_the_pooler_learns_the_verifier_of_a_tenants_role(cluster: Cluster) -> None:
    cluster.rows("supabase_admin", "create role pooled login password 'p'")
    verifier = cluster.value("supabase_admin", "select rolpassword from pg_authid where rolname = 'pooled'")
    assert verifier.startswith("SCRAM-SHA-256$")
    assert cluster.rows("pgbouncer", "select * from pgbouncer.get_auth('pooled')") == [("pooled", verifier)]
    cluster.rows("supabase_admin", "drop role pooled")


@pytest.mark.parametrize("name", ["uuid-ossp", "pgcrypto", "pg_stat_statements"])
def test_a_new_project_has_the_extension_and_may_drop_it(cluster: Cluster, name: str) -> None:
    where = (
        f"select extnamespace::regnamespace::text, extowner::regrole::text from pg_extension where extname = '{name}'"
    )
    assert cluster.rows("postgres", where) == [("extensions", "postgres")]
    cluster.rows("postgres", "begin", f'drop extension "{name}"', "rollback")


def test_statistics_of_other_roles_are_readable_and_those_of_the_platform_are_not_kept(cluster: Cluster) -> None:
    cluster.rows("postgres", "select extensions.pg_stat_statements_reset()")
    cluster.rows("supabase_admin", "select 'secret of the platform'")
    cluster.rows("pgbouncer", "select 'seen', 'seen'")
    seen = cluster.rows("postgres", "select query from extensions.pg_stat_statements")
    assert ("select $1, $2",) in seen
    assert (
        cluster.value("postgres", "select count(*) from pg_stat_statements where userid = 'supabase_admin'::regrole")
        == 0
    )


@pytest.mark.parametrize("name", ["hstore", "citext", "pg_trgm", "btree_gist", "unaccent", "ltree", *bootstrap.TRUSTED])
def test_postgres_makes_and_drops_the_extension(cluster: Cluster, name: str) -> None:
    if not cluster.rows("postgres", f"select 1 from pg_available_extensions where name = '{name}'"):
        pytest.skip("not in this engine")
    cluster.rows(
        "baseplane_query",
        "begin",
        f'drop extension if exists "{name}"',
        f'create extension "{name}" with schema extensions',
        f'drop extension "{name}"',
        "rollback",
    )


def test_postgres_sees_how_large_the_log_is(cluster: Cluster) -> None:
    assert cluster.value("postgres", "select count(*) > 0 from pg_ls_waldir()") is True


def test_postgres_makes_foreign_servers(cluster: Cluster) -> None:
    cluster.rows(
        "baseplane_query",
        "create extension postgres_fdw with schema extensions",
        "create server elsewhere foreign data wrapper postgres_fdw options (host 'db.example.com')",
        "create user mapping for postgres server elsewhere options (user 'u', password 'p')",
        "drop extension postgres_fdw cascade",
    )


@pytest.mark.parametrize("ddl", ["create table heard ()", "drop table heard"])
def test_ddl_tells_postgrest_to_reload_its_schema(cluster: Cluster, ddl: str) -> None:
    cluster.rows(
        "postgres", "drop table if exists heard", *(["create table heard ()"] if ddl.startswith("drop") else [])
    )
    with cluster.connect("authenticator") as listener:
        listener.execute("listen pgrst")
        cluster.rows("postgres", ddl)
        assert [note.payload for note in listener.notifies(timeout=5, stop_after=1)] == ["reload schema"]


def test_temporary_tables_are_not_told(cluster: Cluster) -> None:
    with cluster.connect("authenticator") as listener:
        listener.execute("listen pgrst")
        cluster.rows("postgres", "create temp table passing ()", "drop table passing", "notify pgrst, 'last'")
        assert [note.payload for note in listener.notifies(timeout=5, stop_after=1)] == ["last"]


def test_the_read_only_role_sees_schemas_made_later_and_changes_nothing(cluster: Cluster) -> None:
    cluster.rows("postgres", "create schema later", "create table later.things as select 1 as id")
    assert cluster.value("supabase_read_only_user", "select id from later.things") == 1
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        cluster.rows("supabase_read_only_user", "create table later.mine ()")
    for attempt in ("delete from later.things", "create table later.mine ()", "create table public.mine ()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            cluster.rows("supabase_read_only_user", "set default_transaction_read_only = off", attempt)


def test_mending_gives_the_query_role_its_settings_back(cluster: Cluster) -> None:
    cluster.rows("baseplane_query", "set role none", "alter role baseplane_query set role = 'none'")
    assert cluster.value("baseplane_query", "select current_user") == "baseplane_query"
    cluster.rows("supabase_admin", bootstrap.mend())
    assert cluster.value("baseplane_query", "select current_user") == "postgres"


def test_trusting_an_engine_twice_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "extension").mkdir()
    control = tmp_path / "extension/postgres_fdw.control"
    left_out = tmp_path / "extension/file_fdw.control"
    control.write_text("comment = 'x'\ntrusted = false\nrelocatable = true")
    left_out.write_text("comment = 'y'\n")
    bootstrap.trust(tmp_path)
    first = control.stat()
    bootstrap.trust(tmp_path)
    assert control.read_text() == "comment = 'x'\nrelocatable = true\ntrusted = true\n"
    assert control.stat().st_ino == first.st_ino
    assert left_out.read_text() == "comment = 'y'\n"
