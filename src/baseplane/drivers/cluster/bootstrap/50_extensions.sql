-- The extensions that a new project has. Where the engine marks them as trusted they are made as role postgres, so that
-- the tenant may drop and update them as he may those that he makes himself; else they stay the superuser's.
grant create, usage on schema extensions to postgres;

do $$
declare
  wanted record;
begin
  for wanted in
    select v.name, v.trusted
    from pg_available_extension_versions as v
    join pg_available_extensions as a on a.name = v.name and a.default_version = v.version
    where v.name in ('uuid-ossp', 'pgcrypto', 'pg_stat_statements')
    order by v.name
  loop
    if wanted.trusted then
      set local role postgres;
    end if;
    execute format('create extension %I with schema extensions', wanted.name);
    reset role;
  end loop;
end
$$;
