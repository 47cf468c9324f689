-- How far role postgres may make and manage roles, which depends on the server's version. Run again for a cluster that
-- came from another major.
do $$
begin
  if current_setting('server_version_num')::integer >= 160000 then
    alter role postgres createrole;
    -- Owner rights over what the servers made (policies on storage.objects, triggers on auth.users), but neither their
    -- logins nor their passwords: no SET ROLE, no admin.
    -- As text, because 15 would not parse it.
    execute 'grant supabase_auth_admin, supabase_storage_admin, supabase_functions_admin, supabase_realtime_admin'
      ' to postgres with inherit true, set false';
    -- A role that postgres creates can own things at once, as it could before 16.
    alter role postgres set createrole_self_grant = 'set, inherit';
  else
    -- Before 16, CREATEROLE may take over every role but superusers and grant itself pg_execute_server_program, which
    -- runs programs on the host. So postgres does without it there.
    grant supabase_auth_admin, supabase_storage_admin, supabase_functions_admin, supabase_realtime_admin to postgres;
  end if;
end
$$;
