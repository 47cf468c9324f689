-- What the lints read, each catalog once: every lint is a query over these. Names are looked up in pg_catalog before
-- anything (see run.py), so none needs its schema here. ":exposed" comes from run.py: PostgREST's own default.

-- PostgREST takes its settings of its role over those of its file; settings of the role in this database win.
exposed_schemas as materialized (
  select btrim(e.name) as name
  from string_to_table(coalesce(
    (
      select split_part(s.setting, '=', 2)
      from pg_db_role_setting as d
      join pg_roles as r on r.oid = d.setrole and r.rolname = 'authenticator'
      cross join unnest(d.setconfig) as s(setting)
      where starts_with(s.setting, 'pgrst.db_schemas=')
        and d.setdatabase in (0, (select b.oid from pg_database as b where b.datname = current_database()))
      order by d.setdatabase desc
      limit 1
    ),
    :exposed
  ), ',') as e(name)
),

-- As whom the API's callers come. Looked up, because the tenant may drop or rename them.
api_roles as materialized (
  select r.oid, r.rolname from pg_roles as r where r.rolname in ('anon', 'authenticated')
),

-- "own": made by the tenant, not by the platform, Postgres or a well-known extension.
namespaces as materialized (
  select
    n.oid,
    n.nspname as name,
    n.nspname in (select e.name from exposed_schemas as e) as exposed,
    not starts_with(n.nspname, 'pg_') and n.nspname <> all (array[
      'information_schema',
      'auth', 'extensions', 'graphql', 'graphql_public', 'pgbouncer', 'realtime', '_realtime', 'storage',
      'supabase_functions', 'supabase_migrations', 'vault',
      'cron', 'net', 'pgmq', 'pgroonga', 'pgsodium', 'pgsodium_masks', 'pgtle', 'repack', 'tiger', 'tiger_data',
      'topology', '_timescaledb_cache', '_timescaledb_catalog', '_timescaledb_config', '_timescaledb_internal'
    ]) as own
  from pg_namespace as n
),

extension_parts as materialized (
  select d.classid, d.objid from pg_depend as d where d.deptype = 'e'
),

-- "readers": the API's roles that may select some column; "users": that may do anything to rows.
relations as materialized (
  select
    c.oid, n.name as schema, c.relname as name, c.relkind as kind, c.relowner as owner, c.relispartition as is_partition,
    c.relrowsecurity as rls, c.relpages as pages, c.reltuples as tuples,
    n.exposed,
    n.own and not exists (
      select from extension_parts as p where p.classid = 'pg_class'::regclass and p.objid = c.oid
    ) as own,
    exists (
      select from pg_options_to_table(c.reloptions) as o
      where o.option_name = 'security_invoker' and o.option_value::boolean
    ) as is_invoker,
    array(
      select r.rolname from api_roles as r
      where has_schema_privilege(r.oid, n.oid, 'usage') and has_any_column_privilege(r.oid, c.oid, 'select')
      order by r.rolname
    ) as readers,
    array(
      select r.rolname from api_roles as r
      where has_schema_privilege(r.oid, n.oid, 'usage') and (
        has_any_column_privilege(r.oid, c.oid, 'select, insert, update') or has_table_privilege(r.oid, c.oid, 'delete')
      )
      order by r.rolname
    ) as users
  from pg_class as c
  join namespaces as n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and not starts_with(n.name, 'pg_') and n.name <> 'information_schema'
),

policies as materialized (
  select
    r.*, p.polname as policy, p.polcmd as command, p.polpermissive as is_permissive, p.polroles as roles,
    pg_get_expr(p.polqual, p.polrelid) as qual, pg_get_expr(p.polwithcheck, p.polrelid) as with_check
  from pg_policy as p
  join relations as r on r.oid = p.polrelid
),

-- Functions that the API's roles can call through it with the rights of the function's owner.
definer_functions as materialized (
  select
    n.name as schema, p.proname as name, pg_get_function_identity_arguments(p.oid) as arguments,
    array(select r.rolname from api_roles as r where has_schema_privilege(r.oid, n.oid, 'usage')
      and has_function_privilege(r.oid, p.oid, 'execute')) as callers
  from pg_proc as p
  join namespaces as n on n.oid = p.pronamespace
  where p.prosecdef and p.prokind in ('f', 'p') and n.exposed and n.own
    and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
)
