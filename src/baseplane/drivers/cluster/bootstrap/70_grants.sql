-- Who may use what is there now.

-- Whoever has a login here may connect, as in any Postgres: there is one tenant, and the roles that he makes are his. TEMP
-- is kept from anon: a stranger's temporary tables are disk that no one watches.
revoke all on database template1 from public;
revoke all on database postgres from public;
grant connect on database postgres to public;
grant temporary on database postgres to
  authenticated, service_role, supabase_auth_admin, supabase_storage_admin, supabase_functions_admin;
-- The servers make schemas of their own when they find them missing ("if not exists" asks for the right first).
grant create on database postgres to supabase_auth_admin, supabase_storage_admin, supabase_etl_admin;

revoke create on schema public from public;
grant usage on schema public to postgres, anon, authenticated, service_role;
grant usage on schema extensions to
  anon, authenticated, service_role, dashboard_user,
  supabase_auth_admin, supabase_storage_admin, supabase_functions_admin, supabase_realtime_admin;
grant usage on schema auth to postgres, anon, authenticated, service_role, dashboard_user;
grant execute on function auth.jwt(), auth.uid(), auth.role(), auth.email() to postgres, dashboard_user;
grant usage on schema storage to postgres, anon, authenticated, service_role, dashboard_user;
grant usage on schema realtime to postgres, anon, authenticated, service_role, supabase_realtime_admin;
grant usage on schema graphql to postgres, service_role;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;
grant usage on schema supabase_functions to postgres, anon, authenticated, service_role;
grant usage on schema vault to postgres, service_role;

grant usage on schema
  public, extensions, auth, storage, realtime, graphql, graphql_public, supabase_functions, supabase_migrations
  to supabase_read_only_user;
grant select on supabase_migrations.schema_migrations to supabase_read_only_user;

-- Users set PostgREST's settings on its role. A setting that no library defines is refused from 15 on but to those who
-- are granted it by name. Each reaches PostgREST alone, which asks for no right beyond authenticator's.
do $$
declare
  setting text;
begin
  if current_setting('server_version_num')::integer >= 150000 then
    foreach setting in array array[
      'db_aggregates_enabled', 'db_anon_role', 'db_extra_search_path', 'db_hoisted_tx_settings', 'db_max_rows',
      'db_plan_enabled', 'db_pre_request', 'db_root_spec', 'db_schemas', 'db_tx_end', 'openapi_mode',
      'openapi_security_active', 'server_cors_allowed_origins', 'server_timing_enabled', 'server_trace_header'
    ]
    loop
      execute format('grant set on parameter pgrst.%s to postgres', setting);
    end loop;
  end if;
end
$$;

-- Large objects know no schema and no default privileges: whoever may call these makes some, even where only reading is
-- meant, for a client may begin a transaction that writes. Those that exist are kept by their own rights.
revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) from public;
grant execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) to postgres with grant option;
grant execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) to authenticated, service_role;

-- Last, so that nothing above depends on it.
alter database postgres set search_path = "$user", public, extensions;
alter role postgres set search_path = "$user", public, extensions;
