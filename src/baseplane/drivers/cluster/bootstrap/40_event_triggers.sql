-- Two things follow from a tenant's DDL by themselves, here and in 42_extension_access.sql. Event triggers fire inside the
-- superuser's commands too, so what they call must not be the tenant's to choose: the functions belong to supabase_admin,
-- in a schema of its own, look up names in pg_catalog before anything (an empty search_path would put the session's
-- temporary objects first), and qualify every name. Those that need no right of their own run as whoever fired them.

-- PostgREST keeps the schema in memory; this tells it to read it again. Temporary objects are not in its schema.
create function extensions.pgrst_ddl_watch() returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from pg_catalog.pg_event_trigger_ddl_commands() as c
    where c.schema_name is distinct from 'pg_temp'
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

create function extensions.pgrst_drop_watch() returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from pg_catalog.pg_event_trigger_dropped_objects() as d where not d.is_temporary) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

-- An event trigger calls its function whatever the rights on it; nobody else has a reason to.
revoke all on function extensions.pgrst_ddl_watch() from public;
revoke all on function extensions.pgrst_drop_watch() from public;

create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
