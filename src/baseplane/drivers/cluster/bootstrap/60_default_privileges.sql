-- What objects that are made later are granted to whom.

-- The API's roles get everything in public, and row security decides, as on the hosted platform.
alter default privileges for role postgres in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on sequences to anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on functions to anon, authenticated, service_role;
-- Not functions of the superuser: those of trusted extensions are his, and some are kept from PUBLIC for a reason.
-- The others are everyone's to call anyway.
alter default privileges for role supabase_admin in schema public
  grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public
  grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema graphql_public
  grant execute on functions to postgres, anon, authenticated, service_role;

-- What the servers make.
alter default privileges for role supabase_auth_admin in schema auth grant all on tables to postgres, dashboard_user;
alter default privileges for role supabase_auth_admin in schema auth grant all on sequences to postgres, dashboard_user;
alter default privileges for role supabase_auth_admin in schema auth grant all on functions to postgres, dashboard_user;
alter default privileges for role supabase_storage_admin in schema storage
  grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_storage_admin in schema storage
  grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_storage_admin in schema storage
  grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema realtime
  grant select on tables to postgres, dashboard_user;
alter default privileges for role supabase_admin in schema realtime
  grant all on tables to supabase_realtime_admin;

-- In whichever schema they are, tables of these owners can be read by the read-only role. Tables of roles that the
-- tenant makes for himself cannot, until he grants it.
do $$
declare
  maker text;
begin
  foreach maker in array array[
    'postgres', 'supabase_admin', 'supabase_auth_admin', 'supabase_storage_admin',
    'supabase_functions_admin', 'supabase_realtime_admin'
  ]
  loop
    execute format('alter default privileges for role %I grant usage on schemas to supabase_read_only_user', maker);
    execute format('alter default privileges for role %I grant select on tables to supabase_read_only_user', maker);
    execute format('alter default privileges for role %I grant select on sequences to supabase_read_only_user', maker);
  end loop;
end
$$;
