"""For each lint SQL that has its fault once, and SQL that does the same well. Schema ``s`` is served by the API.

``---`` on a line of its own parts what has to be sent by itself.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    lint: str
    cache_key: str
    fault: str
    well: str
    cleanup: str = ""


TABLE = "create table s.t (id int primary key, owner uuid); alter table s.t enable row level security;"
USERS = "create table auth.users (id uuid primary key, email text unique);"
DEFINER = "create function s.f(a int, b text) returns int language sql security definer set search_path = ''"
BUCKETS = """
    create table storage.buckets (id text primary key, name text, public boolean);
    create table storage.objects (id int primary key, bucket_id text);
    insert into storage.buckets values ('pics', 'pics', true), ('mine', 'mine', false);
"""

CASES = (
    Case(
        "unindexed_foreign_keys",
        "unindexed_foreign_keys_s_b_b_x_y_fkey",
        "create table s.a (x int, y int, primary key (x, y)); create table s.b (x int, y int, z int,"
        " foreign key (x, y) references s.a); create index on s.b (z, x, y); create index on s.b (x) include (y);"
        " create index on s.b (x, y) where z > 0",
        "create table s.a (x int, y int, primary key (x, y)); create table s.b (x int, y int, z int,"
        " foreign key (x, y) references s.a); create index on s.b (y, x, z)",
    ),
    Case(
        "auth_users_exposed",
        "auth_users_exposed_s_outer_view",
        f"{USERS} create schema hidden; create view hidden.v as select id from auth.users;"
        " create view s.outer_view as select * from hidden.v",
        f"{USERS} create schema hidden; create view s.v with (security_invoker) as select id from auth.users;"
        " create view hidden.w as select id from auth.users;"
        " create view s.x as select id from auth.users; revoke all on s.x from anon, authenticated",
        "drop table auth.users cascade; drop schema hidden cascade",
    ),
    Case(
        "auth_rls_initplan",
        "auth_rls_init_plan_s_t_own",
        f"{TABLE} create policy own on s.t using ((select auth.uid()) = owner or owner = auth.uid())",
        f"{TABLE} create policy own on s.t using ((select auth.uid()) = owner"
        " and (select (auth.jwt() -> 'a') ->> 'b') = 'c' and (select current_setting('app.x', true)) = 'y')",
    ),
    Case(
        "no_primary_key",
        "no_primary_key_s_t",
        "create table s.t (id int) partition by list (id); create table s.t1 partition of s.t for values in (1)",
        "create table s.t (id int primary key); create view s.v as select * from s.t",
    ),
    Case(
        "unused_index",
        "unused_index_s_t_never",
        "create table s.t (id int primary key, a int unique, b int); create index never on s.t (b)",
        "create table s.t (id int primary key, b int); create index often on s.t (b);"
        "\n---\nset enable_seqscan = off; set enable_bitmapscan = off; select * from s.t where b = 1"
        "\n---\nselect pg_stat_force_next_flush()",
    ),
    Case(
        "multiple_permissive_policies",
        "multiple_permissive_policies_s_t_anon_SELECT",
        f"{TABLE} create policy one on s.t for select to anon using (true);"
        " create policy two on s.t for select using (false); create policy three on s.t for delete to anon using (true)",
        f"{TABLE} create policy one on s.t for select to anon using (true);"
        " create policy two on s.t as restrictive for select to anon using (false);"
        " create policy three on s.t for select to authenticated using (true)",
    ),
    Case(
        "policy_exists_rls_disabled",
        "policy_exists_rls_disabled_s_t",
        "create table s.t (id int); create policy p on s.t using (true); create policy q on s.t using (true)",
        f"{TABLE} create policy p on s.t using (true)",
    ),
    Case(
        "rls_enabled_no_policy",
        "rls_enabled_no_policy_s_t",
        TABLE,
        f"{TABLE} create policy p on s.t using (true); create table s.open (id int)",
    ),
    Case(
        "duplicate_index",
        "duplicate_index_s_t_{one,two}",
        "create table s.t (a int, b int); create index one on s.t (a, b); create index two on s.t (a, b)",
        "create table s.t (a int, b int); create index on s.t (a, b); create index on s.t (b, a);"
        " create index on s.t (a, b desc); create index on s.t (a, b) where a > 0; create unique index on s.t (a, b)",
    ),
    Case(
        "security_definer_view",
        "security_definer_view_s_v",
        "create view s.v as select 1 as a",
        "create view s.v with (security_invoker = yes) as select 1 as a; create schema hidden;"
        " create view hidden.v as select 1 as a",
        "drop schema if exists hidden cascade",
    ),
    Case(
        "function_search_path_mutable",
        "function_search_path_mutable_s_f_95adb6e77a0884d9e50232cb8c5c969d",
        "create function s.f() returns int language sql as 'select 1'",
        "create function s.f() returns int language sql set search_path = '' as 'select 1';"
        " create function s.g() returns int language sql return 1",
    ),
    Case(
        "rls_disabled_in_public",
        "rls_disabled_in_public_s_t",
        "create table s.t (id int); revoke select on s.t from anon, authenticated",
        f"{TABLE} create table s.kept (id int); revoke all on s.kept from anon, authenticated;"
        " create schema hidden; create table hidden.t (id int); grant all on hidden.t to anon",
        "drop schema if exists hidden cascade",
    ),
    Case(
        "extension_in_public",
        "extension_in_public_citext",
        "create extension citext schema public",
        "create extension citext schema extensions",
        "drop extension citext",
    ),
    Case(
        "rls_references_user_metadata",
        "rls_references_user_metadata_s_t_admins",
        f"{TABLE} create policy admins on s.t using (auth.jwt() -> 'user_metadata' ->> 'role' = 'admin')",
        f"{TABLE} create policy admins on s.t using (auth.jwt() -> 'app_metadata' ->> 'role' = 'admin')",
    ),
    Case(
        "materialized_view_in_api",
        "materialized_view_in_api_s_m",
        "create materialized view s.m as select 1 as a",
        "create materialized view s.m as select 1 as a; revoke select on s.m from anon, authenticated",
    ),
    Case(
        "foreign_table_in_api",
        "foreign_table_in_api_s_f",
        "create extension postgres_fdw schema extensions; create server far foreign data wrapper postgres_fdw;"
        " create foreign table s.f (a int) server far",
        "create extension postgres_fdw schema extensions; create server far foreign data wrapper postgres_fdw;"
        " create foreign table s.f (a int) server far; revoke select on s.f from anon, authenticated",
        "drop extension postgres_fdw cascade",
    ),
    Case(
        "unsupported_reg_types",
        "unsupported_reg_types_s_t_a",
        "create table s.t (a regproc)",
        "create table s.t (a regclass, b regrole, c regtype, d int)",
    ),
    Case(
        "insecure_queue_exposed_in_api",
        "rls_disabled_in_public_pgmq_q_jobs",
        "create schema pgmq; grant usage on schema pgmq to anon; create table pgmq.q_jobs (id int);"
        " grant select on pgmq.q_jobs to anon",
        "create schema pgmq; grant usage on schema pgmq to anon; create table pgmq.q_jobs (id int);"
        " grant select on pgmq.q_jobs to anon; alter table pgmq.q_jobs enable row level security;"
        " create table pgmq.a_jobs (id int); grant select on pgmq.a_jobs to anon",
        "drop schema pgmq cascade",
    ),
    Case(
        "table_bloat",
        "table_bloat_s_t",
        "create table s.t with (autovacuum_enabled = off) as"
        " select n, repeat('x', 1000) as text from generate_series(1, 30000) as n;"
        " delete from s.t where n % 20 <> 0\n---\nvacuum (analyze) s.t",
        "create table s.t as select n, repeat('x', 1000) as text from generate_series(1, 30000) as n;"
        "\n---\nvacuum (analyze) s.t",
    ),
    Case(
        "fkey_to_auth_unique",
        "fkey_to_auth_unique_s_t_t_email_fkey",
        f"{USERS} create table s.t (email text references auth.users (email))",
        f"{USERS} create table s.t (id uuid references auth.users)",
        "drop table auth.users cascade",
    ),
    Case(
        "extension_versions_outdated",
        "extension_versions_outdated_hstore_1.4",
        "create extension hstore schema extensions version '1.4'",
        "create extension hstore schema extensions",
        "drop extension hstore",
    ),
    Case(
        "sensitive_columns_exposed",
        "sensitive_columns_exposed_s_t",
        'create table s.t (id int, "API-Key" text, ssn text)',
        f"{TABLE} alter table s.t add password text; create table s.u (passwords text)",
    ),
    Case(
        "rls_policy_always_true",
        "rls_policy_always_true_s_t_anything",
        f"{TABLE} create policy anything on s.t for update using (1 = 1)",
        f"{TABLE} create policy a on s.t for select using (true); create policy b on s.t for insert with check (id > 0);"
        " create policy c on s.t to service_role using (true); create policy d on s.t as restrictive using (true)",
    ),
    Case(
        "public_bucket_allows_listing",
        "public_bucket_allows_listing_pics",
        f"{BUCKETS} create policy p on storage.objects for select using (bucket_id = 'pics');"
        " create policy q on storage.objects for select to authenticated using (bucket_id = 'mine')",
        f"{BUCKETS} create policy p on storage.objects for select using (bucket_id = 'pics' and id > 5);"
        " create policy q on storage.objects for insert with check (bucket_id = 'pics')",
        "drop table storage.buckets, storage.objects",
    ),
    Case(
        "anon_security_definer_function_executable",
        "anon_security_definer_function_executable_s_f_a integer, b text",
        f"{DEFINER} return 1; revoke execute on function s.f from public; grant execute on function s.f to anon",
        f"{DEFINER} return 1; revoke execute on function s.f from public; grant execute on function s.f to authenticated;"
        " create function s.g() returns int language sql return 1;"
        " create function s.h() returns trigger language plpgsql security definer as 'begin end'",
    ),
    Case(
        "authenticated_security_definer_function_executable",
        "authenticated_security_definer_function_executable_s_f_a integer, b text",
        f"{DEFINER} return 1; revoke execute on function s.f from public; grant execute on function s.f to authenticated",
        f"{DEFINER} return 1; revoke execute on function s.f from public; grant execute on function s.f to anon",
    ),
)
