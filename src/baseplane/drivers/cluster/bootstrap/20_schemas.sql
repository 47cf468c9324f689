-- The schemas that users' code and the servers expect. What a server makes by its own migrations (auth.users,
-- storage.objects ...) is not made here: a copy would collide with its first migration.
-- Left out because they mean nothing without their C libraries: net, cron, pgsodium.

-- The database is the tenant's, and through pg_database_owner so is schema public.
alter database postgres owner to postgres;

-- Owned by the superuser: whoever owns a schema may drop what others have in it, and these hold functions that run as
-- the superuser.
create schema extensions;
create schema graphql;
create schema graphql_public;
create schema vault;
create schema pgbouncer;
-- The realtime server may be run as the superuser, and then looks up names here; hence not its role's either.
create schema realtime;

create schema auth authorization supabase_auth_admin;
create schema storage authorization supabase_storage_admin;
create schema supabase_functions authorization supabase_functions_admin;

-- The record of migrations, as the CLI makes it when it is missing. Its statements "if not exists" run as postgres and
-- must find it theirs.
create schema supabase_migrations authorization postgres;
create table supabase_migrations.schema_migrations (
  version text primary key,
  statements text[],
  name text
);
alter table supabase_migrations.schema_migrations owner to postgres;

-- Empty; the tenant adds his tables to it.
create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;
