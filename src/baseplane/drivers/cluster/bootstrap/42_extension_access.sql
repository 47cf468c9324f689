-- An extension marked as trusted (see bootstrap/__init__.py) is installed by the superuser on the tenant's behalf, so
-- that its parts belong to the superuser. What postgres needs of them is granted here, by name and by nothing that the
-- tenant could have made: only members of the extension are touched.
create or replace function extensions.grant_extension_access() returns event_trigger
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
      and not c.in_extension  -- rights that are given during its script count as the extension's own, and no dump has them
      and (
        (e.extname = 'postgres_fdw' and w.fdwname = 'postgres_fdw')
        or (e.extname = 'pg_stat_statements' and p.proname = 'pg_stat_statements_reset')
      )
  loop
    execute 'grant all on ' || part || ' to postgres with grant option';
  end loop;
end
$$;

revoke all on function extensions.grant_extension_access() from public;

-- An update may drop a part and make it anew, without its rights. This file, too, is run again for a cluster that came from
-- another major.
drop event trigger if exists grant_extension_access;
create event trigger grant_extension_access on ddl_command_end when tag in ('CREATE EXTENSION', 'ALTER EXTENSION')
  execute function extensions.grant_extension_access();
