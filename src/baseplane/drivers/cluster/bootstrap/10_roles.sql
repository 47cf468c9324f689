-- Who may be in a project's cluster. No role has a password here: passwords are given to each cluster when it is made.
--
-- The line that must hold: everything the tenant can reach ends at role postgres, which is no superuser, and nothing
-- that postgres may do to a role reaches supabase_admin. From 16 on, CREATEROLE acts only on roles that one has ADMIN
-- on, so postgres is made able to manage exactly the roles that are granted to it below with admin.

-- What the API speaks as.
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;
grant anon, authenticated, service_role to authenticator;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
-- The hosted platform also loads safeupdate here. That library is in none of the engines, and a preload that is missing
-- would refuse every login, so it is left out: an UPDATE without WHERE is then stopped by row security alone.
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';

-- What servers speak as. None can create roles: a tenant's trigger on a table of theirs runs with their rights.
create role supabase_auth_admin login noinherit;
create role supabase_storage_admin login noinherit;
create role supabase_functions_admin login noinherit;
create role supabase_realtime_admin nologin noinherit;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = '60s';
alter role supabase_auth_admin set log_statement = 'none';
alter role supabase_storage_admin set search_path = storage;
alter role supabase_storage_admin set log_statement = 'none';
alter role supabase_functions_admin set search_path = supabase_functions;
-- The storage server acts as its callers.
grant anon, authenticated, service_role to supabase_storage_admin;

-- REPLICATION reads every byte of a cluster, password verifiers among them, so only the platform's own roles have it.
create role supabase_replication_admin login replication;
create role supabase_etl_admin login replication bypassrls;
grant pg_read_all_data to supabase_etl_admin;

create role dashboard_user nologin;
create role pgbouncer login;

-- The tenant's own role. BYPASSRLS and CREATEDB as on the hosted platform; REPLICATION is not, for the reason above.
create role postgres login createdb bypassrls;
grant anon, authenticated, service_role, authenticator to postgres with admin option;

-- Statistics of all sessions and tables. Not pg_monitor or pg_read_all_settings: these show primary_conninfo, with the
-- replication password in it, and where files lie. Not pg_create_subscription: it connects with a raw connection string,
-- and from 18 on libpq writes a file that such a string names (sslkeylogfile).
grant pg_read_all_stats, pg_stat_scan_tables, pg_signal_backend to postgres;
-- Names and sizes of the log's own files, which the CLI's `inspect db db-stats` and `inspect report` add up.
grant execute on function pg_ls_waldir() to postgres;
