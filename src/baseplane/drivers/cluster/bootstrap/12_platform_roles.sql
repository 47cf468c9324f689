-- The roles that the platform itself uses, and their settings. This file is written to be run again at any time, as
-- supabase_admin: every role may change its own password and settings, so a tenant who runs SET ROLE NONE can spoil
-- baseplane_query. He wins nothing by it, and running this file and setting the passwords again makes it whole.

-- A role's own settings beat those of its database, and the database is the tenant's: without these lines he could make
-- supabase_admin look up its functions in a schema of his, and be superuser at its next login.
alter role supabase_admin reset all;
alter role supabase_admin in database postgres reset all;
alter role supabase_admin set search_path = pg_catalog, pg_temp;
alter role supabase_admin set role = 'none';
alter role supabase_admin set statement_timeout = 0;
alter role supabase_admin set lock_timeout = 0;
alter role supabase_admin set idle_session_timeout = 0;
alter role supabase_admin set idle_in_transaction_session_timeout = 0;
alter role supabase_admin set default_transaction_read_only = off;
alter role supabase_admin set default_transaction_isolation = 'read committed';
alter role supabase_admin set standard_conforming_strings = on;
alter role supabase_admin set client_encoding = 'UTF8';
alter role supabase_admin set datestyle = 'ISO, MDY';
alter role supabase_admin set bytea_output = 'hex';
alter role supabase_admin set row_security = on;
-- "= ''" would name one library without a name. What is current here is the empty list; a library that is missing,
-- named by the tenant for his database, would keep the superuser out.
alter role supabase_admin set local_preload_libraries from current;
-- What the platform runs is no one else's to read: neither in the log nor in the tenant's statistics.
alter role supabase_admin set log_statement = 'none';
alter role supabase_admin set pg_stat_statements.track = 'none';

-- Reads everything, changes nothing. Not through pg_read_all_data: that reads pg_authid too, and with it the verifiers
-- of every password. 60_default_privileges.sql grants it what it is to see.
do $$
begin
  if to_regrole('supabase_read_only_user') is null then
    create role supabase_read_only_user;
  end if;
  if to_regrole('baseplane_query') is null then
    create role baseplane_query;
  end if;
  if current_setting('server_version_num')::integer >= 170000 then
    alter role supabase_admin set transaction_timeout = 0;
    alter role supabase_admin set event_triggers = on;
  end if;
end
$$;

alter role supabase_read_only_user login inherit bypassrls nosuperuser nocreatedb nocreaterole noreplication;
alter role supabase_read_only_user reset all;
alter role supabase_read_only_user in database postgres reset all;
alter role supabase_read_only_user set default_transaction_read_only = on;
alter role supabase_read_only_user set role = 'none';
grant pg_read_all_stats, pg_stat_scan_tables to supabase_read_only_user;

-- The door for a tenant's SQL that comes through the API. Its sessions start as role postgres, RESET ROLE goes back to
-- postgres (it is the session's own default), and SET ROLE NONE leaves a role that has nothing but postgres to become.
-- That is less than logging in as postgres, and the tenant's password of postgres is never needed.
alter role baseplane_query login noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
alter role baseplane_query reset all;
alter role baseplane_query in database postgres reset all;
alter role baseplane_query set role = 'postgres';

do $$
begin
  if current_setting('server_version_num')::integer >= 160000 then
    execute 'grant postgres to baseplane_query with inherit false, set true';  -- 15 would not parse it
    alter role baseplane_query set createrole_self_grant = 'set, inherit';
  else
    grant postgres to baseplane_query;
  end if;
end
$$;
