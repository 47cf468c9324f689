-- The pooler looks up the verifier of whoever logs in through it, with the right of this function's owner to read
-- pg_authid. Only role pgbouncer may call it, and it never answers for a superuser or for the platform's own roles.
-- pg_catalog first and pg_temp last: with an empty search_path the caller's temporary objects would come first.
create function pgbouncer.get_auth(p_usename text) returns table (username text, password text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.rolname::pg_catalog.text,
         case when a.rolvaliduntil < pg_catalog.now() then null else a.rolpassword end
  from pg_catalog.pg_authid as a
  where a.rolname = p_usename
    and a.rolcanlogin
    and not a.rolsuper
    and not a.rolreplication
    and a.rolname not in ('baseplane_query', 'supabase_read_only_user', 'pgbouncer')
$$;

revoke all on function pgbouncer.get_auth(text) from public;
grant usage on schema pgbouncer to pgbouncer;
grant execute on function pgbouncer.get_auth(text) to pgbouncer;
