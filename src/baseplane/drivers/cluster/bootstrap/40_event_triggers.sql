-- Two things follow from a tenant's DDL by themselves. Event triggers fire inside the superuser's commands too, so what
-- they call must not be the tenant's to choose: the functions belong to supabase_admin, in a schema of its own, look up
-- names in pg_catalog before anything (an empty search_path would put the session's temporary objects first), and
-- qualify every name. Those that need no right of their own run as whoever fired them.

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

-- An extension marked as trusted (see bootstrap/__init__.py) is installed by the superuser on the tenant's behalf, so
-- that its parts belong to the superuser. What postgres needs of them is granted here, by name and by nothing that the
-- tenant could have made: only members of the extension are touched.
create function extensions.grant_extension_access() returns event_trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  part pg_catalog.text;
begin
  for part in
    select case d.classid
      when 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass
        then pg_catalog.format('foreign data wrapper %I', w.fdwname)
      else pg_catalog.format('function %s', p.oid::pg_catalog.regprocedure)
    end
    from pg_catalog.pg_event_trigger_ddl_commands() as c
    join pg_catalog.pg_extension as e on e.oid = c.objid
    join pg_catalog.pg_depend as d
      on d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.refobjid = e.oid and d.deptype = 'e'
    left join pg_catalog.pg_foreign_data_wrapper as w
      on d.classid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass and w.oid = d.objid
    left join pg_catalog.pg_proc as p
      on d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and p.oid = d.objid
    where c.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass
      and (
        (e.extname = 'postgres_fdw' and w.fdwname = 'postgres_fdw')
        or (e.extname = 'pg_stat_statements' and p.proname = 'pg_stat_statements_reset')
      )
  loop
    execute 'grant all on ' || part || ' to postgres with grant option';
  end loop;
end
$$;

-- An event trigger calls its function whatever the rights on it; nobody else has a reason to.
revoke all on function extensions.pgrst_ddl_watch() from public;
revoke all on function extensions.pgrst_drop_watch() from public;
revoke all on function extensions.grant_extension_access() from public;

create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
create event trigger grant_extension_access on ddl_command_end when tag in ('CREATE EXTENSION')
  execute function extensions.grant_extension_access();
