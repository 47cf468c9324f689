"""What a hostile tenant tries on his own cluster. He has role postgres, and the API's way in as baseplane_query."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from baseplane.drivers.cluster import bootstrap
from tests.drivers.bootstrapped import Cluster, engine_homes, running, trusting

pytestmark = pytest.mark.skipif(not engine_homes(), reason="no engine is installed")
TENANTS = pytest.mark.parametrize("tenant", ["postgres", "baseplane_query"])
REFUSED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.InvalidParameterValue,
    psycopg.errors.DependentObjectsStillExist,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.ObjectInUse,
    psycopg.errors.ReservedName,
)


@pytest.fixture(scope="module", params=engine_homes(), ids=lambda home: home.name)
def engine(request: pytest.FixtureRequest) -> Iterator[Path]:
    with trusting(request.param) as home:
        yield home


@pytest.fixture(scope="module")
def cluster(engine: Path) -> Iterator[Cluster]:
    with running(engine) as cluster:
        yield cluster


OTHERS = ("supabase_admin", "supabase_read_only_user", "supabase_replication_admin", "supabase_etl_admin", "pgbouncer")
ATTACKS = (
    # becoming another
    *(f"set role {role}" for role in OTHERS),
    *(f"set session authorization {role}" for role in OTHERS),
    "set role supabase_auth_admin",
    "set role pg_execute_server_program",
    # taking over a role
    *(f"alter role {role} password 'mine'" for role in (*OTHERS, "baseplane_query", "supabase_auth_admin")),
    *(f"alter role {role} set search_path = public" for role in (*OTHERS, "baseplane_query")),
    *(f"alter role {role} in database postgres set role = 'none'" for role in (*OTHERS, "baseplane_query")),
    *(f"alter role {role} nologin" for role in (*OTHERS, "baseplane_query")),
    *(f"alter role {role} rename to mine" for role in (*OTHERS, "baseplane_query")),
    *(f"drop role {role}" for role in (*OTHERS, "baseplane_query")),
    *(f"grant {role} to postgres" for role in (*OTHERS, "baseplane_query", "supabase_auth_admin")),
    *(f"grant {role} to anon with admin option" for role in (*OTHERS, "baseplane_query")),
    "alter role all set search_path = public",
    # more rights
    "alter role postgres superuser",
    "alter role postgres replication",
    "alter role anon superuser",
    "create role more superuser",
    "create role more replication",
    "create role more in role supabase_admin",
    "create role more in role pg_read_server_files",
    *(
        f"grant {role} to postgres"
        for role in (
            "pg_execute_server_program",
            "pg_read_server_files",
            "pg_write_server_files",
            "pg_read_all_data",
            "pg_read_all_settings",
            "pg_monitor",
            "pg_checkpoint",
            "pg_create_subscription",
        )
    ),
    # files, programs, settings of the server
    "copy (select 1) to program 'true'",
    "create table lines (line text); copy lines from program 'id'",
    "create table lines (line text); copy lines from '/etc/passwd'",
    "copy (select 1) to '/dev/null'",
    "select pg_read_file('PG_VERSION')",
    "select pg_read_binary_file('global/pg_control')",
    "select pg_ls_dir('.')",
    "select pg_stat_file('PG_VERSION')",
    "select lo_import('/etc/passwd')",
    "select lo_export(lo_from_bytea(0, 'x'), '/dev/null')",
    "alter system set archive_command = 'true'",
    "alter system set shared_preload_libraries = ''",
    "select pg_reload_conf()",
    "select pg_rotate_logfile()",
    "load 'file_fdw'",
    "set session_preload_libraries = 'x'",
    "set dynamic_library_path = '/dev'",
    "set session_replication_role = replica",
    "set log_statement = 'none'",
    "alter database postgres set session_preload_libraries = 'x'",
    "create function c() returns int language c as 'libc', 'getpid'",
    "create function i() returns int language internal as 'pg_backend_pid'",
    "create tablespace here location '/dev'",
    "create subscription s connection 'host=localhost' publication p with (connect = false)",
    "select pg_create_logical_replication_slot('s', 'pgoutput')",
    "select pg_create_physical_replication_slot('s')",
    # secrets
    "select * from pg_authid",
    "select * from pg_shadow",
    "select * from pg_hba_file_rules",
    "select * from pg_file_settings",
    "select * from pgbouncer.get_auth('postgres')",
    "show primary_conninfo",
    "show hba_file",
    # what is ours
    "alter event trigger pgrst_ddl_watch disable",
    "drop event trigger grant_extension_access",
    "create event trigger mine on ddl_command_end execute function extensions.pgrst_ddl_watch()",
    "alter function extensions.grant_extension_access() owner to postgres",
    "alter function extensions.grant_extension_access() reset search_path",
    "drop function extensions.grant_extension_access() cascade",
    "drop function extensions.pgrst_ddl_watch() cascade",
    "create or replace function extensions.pgrst_ddl_watch() returns event_trigger language plpgsql as 'begin end'",
    "create or replace function pgbouncer.get_auth(p_usename text) returns text language sql return p_usename",
    "drop schema extensions cascade",
    "drop schema pgbouncer cascade",
    "alter schema extensions owner to postgres",
    "alter schema extensions rename to mine",
    "create function realtime.mine() returns int language sql return 1",
    "create function vault.mine() returns int language sql return 1",
    "create function pg_catalog.mine() returns int language sql return 1",
    "alter default privileges for role supabase_admin grant all on tables to anon",
    "update pg_catalog.pg_database set datdba = 10",
    "alter database template1 owner to postgres",
    "reassign owned by supabase_admin to postgres",
    "drop owned by supabase_admin cascade",
    # extensions that reach files, programs or storage
    *(
        f"create extension {name}"
        for name in (
            "file_fdw",
            "pageinspect",
            "plpython3u",
            "pg_surgery",
            "pg_walinspect",
            "amcheck",
            "dblink",
            "pg_buffercache",
            "pg_prewarm",
            "pg_visibility",
            "xml2",
            "refint",
        )
    ),
)


@TENANTS
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_tenant_is_refused(cluster: Cluster, tenant: str, attack: str) -> None:
    wanted = attack.removeprefix("create extension ")
    if wanted != attack and not cluster.rows(tenant, f"select 1 from pg_available_extensions where name = '{wanted}'"):
        pytest.skip("not in this engine")
    with cluster.connect(tenant) as session:
        if not attack.startswith(("alter system", "create tablespace")):
            session.execute("begin")
        with pytest.raises(REFUSED):
            session.execute(attack.encode())


@pytest.mark.parametrize(
    "way_out",
    [
        "reset role",
        "set role none",
        "discard all",
        "reset all",
        "reset session authorization",
        "set session authorization default",
    ],
)
def test_leaving_the_role_of_a_query_leads_to_nothing_more(cluster: Cluster, way_out: str) -> None:
    with cluster.connect("baseplane_query") as session:
        session.execute(way_out.encode())
        row = session.execute("select current_user, session_user").fetchone()
        assert row is not None
        assert row[0] in {"postgres", "baseplane_query"}
        assert row[1] == "baseplane_query"
        for role in (*OTHERS, "anon_or_more", "supabase_auth_admin"):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)):
                session.execute(f"set role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select * from pg_authid")


def test_the_query_role_is_member_of_postgres_alone(cluster: Cluster) -> None:
    assert cluster.rows(
        "supabase_admin",
        "select roleid::regrole::text, admin_option, inherit_option, set_option from pg_auth_members"
        " where member = 'baseplane_query'::regrole",
    ) == [("postgres", False, False, True)]


def test_the_superuser_looks_up_nothing_in_a_tenants_schema(cluster: Cluster) -> None:
    cluster.rows(
        "baseplane_query",
        "create schema evil",
        "create function evil.lower(text) returns text language plpgsql as "
        "$$ begin alter role postgres superuser; return ''; end $$",
        "alter database postgres set search_path = evil, pg_catalog",
        "alter database postgres set role = 'postgres'",
        "alter database postgres set statement_timeout = '1ms'",
        "alter database postgres set default_transaction_read_only = on",
        "alter database postgres set local_preload_libraries = 'missing'",
    )
    try:
        said = cluster.rows(
            "supabase_admin", "select lower('X'::text), current_user, current_setting('statement_timeout')"
        )
        assert said == [("x", "supabase_admin", "0")]
        assert not cluster.value("supabase_admin", "select rolsuper from pg_roles where rolname = 'postgres'")
        cluster.rows("supabase_admin", "begin", "create table public.made ()", "rollback")
    finally:
        cluster.rows(
            "supabase_admin",
            "alter database postgres reset role",
            "alter database postgres reset local_preload_libraries",
            "alter database postgres reset statement_timeout",
            "alter database postgres reset default_transaction_read_only",
            'alter database postgres set search_path = "$user", public, extensions',
        )


_EVIL = "language plpgsql as $$ begin alter role postgres superuser; return null; end $$"
DECOYS = (
    "create function evil.format(text, name) returns text " + _EVIL,
    "create function evil.format(text, regprocedure) returns text " + _EVIL,
    "create function evil.differs(text, text) returns boolean " + _EVIL,
    "create function evil.same(name, text) returns boolean " + _EVIL,
    "create operator evil.= (leftarg = name, rightarg = text, function = evil.same)",
    "create function evil.pg_event_trigger_ddl_commands() returns setof pg_catalog.pg_extension "
    + _EVIL.replace(" null", ""),
)


def test_our_functions_call_nothing_that_the_tenant_put_in_their_way(cluster: Cluster) -> None:
    with cluster.connect("postgres") as session:
        session.execute("create schema if not exists evil")
        for decoy in DECOYS:
            session.execute(decoy.encode())
        session.execute("create temp table pg_extension (oid oid, extname text)")
        session.execute("create temp table pg_depend (oid oid)")
        session.execute("create domain pg_temp.text as integer")
        session.execute("create domain pg_temp.regclass as integer")
        session.execute("set search_path = evil, pg_temp, pg_catalog")
        session.execute("create extension postgres_fdw with schema extensions")
        session.execute("drop extension postgres_fdw")
    assert not cluster.value("supabase_admin", "select rolsuper from pg_roles where rolname = 'postgres'")


def test_ddl_of_the_superuser_runs_nothing_of_the_tenants(cluster: Cluster) -> None:
    cluster.rows(
        "postgres",
        "create schema if not exists evil2",
        "create operator evil2.= (leftarg = name, rightarg = name, function = pg_catalog.nameeq)",
    )
    cluster.rows(
        "supabase_admin", "set search_path = evil2, public", "create table made_by_admin ()", "drop table made_by_admin"
    )
    assert not cluster.value("supabase_admin", "select rolsuper from pg_roles where rolname = 'postgres'")


def test_every_definers_function_of_ours_fixes_its_search_path(cluster: Cluster) -> None:
    rows = cluster.rows(
        "supabase_admin",
        "select p.oid::regprocedure::text, p.proconfig from pg_proc p"
        " where (p.prosecdef or p.prorettype = 'event_trigger'::regtype) and p.pronamespace <> 'pg_catalog'::regnamespace",
    )
    assert len(rows) == 7
    assert all(config == ["search_path=pg_catalog, pg_temp"] for _, config in rows)


@pytest.mark.parametrize("name", ["supabase_admin", "baseplane_query", "supabase_read_only_user", "supabase_etl_admin"])
def test_the_pooler_is_never_told_the_verifier_of_the_platform(cluster: Cluster, name: str) -> None:
    assert cluster.rows("pgbouncer", f"select * from pgbouncer.get_auth('{name}')") == []


@pytest.mark.parametrize("role", ["supabase_read_only_user", "authenticator", "supabase_auth_admin", "pgbouncer"])
@pytest.mark.parametrize("attack", ["select * from pg_authid", "set role supabase_admin", "set role postgres"])
def test_lesser_roles_are_refused(cluster: Cluster, role: str, attack: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        cluster.rows(role, attack)


@pytest.mark.parametrize("option", ["sslkeylogfile '/dev/null'", "password_required 'false'"])
def test_a_foreign_server_names_no_file_and_needs_a_password(cluster: Cluster, option: str) -> None:
    kind = (
        "user mapping for postgres server s" if "password" in option else "server t foreign data wrapper postgres_fdw"
    )
    refused = (*REFUSED, psycopg.errors.FdwInvalidOptionName)
    with cluster.connect("postgres") as session:
        session.execute("begin")
        session.execute("create extension postgres_fdw with schema extensions")
        session.execute("create server s foreign data wrapper postgres_fdw")
        with pytest.raises(refused):
            session.execute(f"create {kind} options ({option})".encode())


def test_a_foreign_server_does_not_lend_the_servers_own_login(cluster: Cluster) -> None:
    with cluster.connect("postgres") as session:
        session.execute("begin")
        session.execute("create extension postgres_fdw with schema extensions")
        session.execute(
            f"create server s foreign data wrapper postgres_fdw options (host '{cluster.sockets}', dbname 'postgres')".encode()
        )
        session.execute("create user mapping for postgres server s options (user 'supabase_admin', password 'x')")
        session.execute(
            "create foreign table stolen (rolname text) server s options (schema_name 'pg_catalog', table_name 'pg_authid')"
        )
        with pytest.raises(psycopg.Error, match="password"):
            session.execute("select * from stolen")


def test_a_tenants_large_objects_and_temporary_tables_are_not_for_strangers(cluster: Cluster) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        cluster.rows("authenticator", "set role anon", "create temp table t ()")
    for making in ("lo_create(0)", "lo_creat(0)", "lo_from_bytea(0, 'x')"):
        for role in ("anon", "supabase_read_only_user"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                cluster.rows(
                    "supabase_admin", f"set role {role}", "set default_transaction_read_only = off", f"select {making}"
                )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        cluster.rows("authenticator", "set role anon", "create table public.t ()")


def test_a_query_that_spoils_its_own_role_is_mended(cluster: Cluster) -> None:
    cluster.rows("baseplane_query", "set role none", "alter role baseplane_query set search_path = evil")
    cluster.rows("supabase_admin", bootstrap.mend())
    config = "select rolconfig from pg_roles where rolname = 'baseplane_query'"
    assert not any(setting.startswith("search_path") for setting in cluster.value("supabase_admin", config))
