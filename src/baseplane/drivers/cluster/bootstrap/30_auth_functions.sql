-- What row policies ask of the caller. PostgREST puts the claims of the token, as JSON, in request.jwt.claims for the
-- transaction; versions before 9 put each claim in a setting of its own. The auth server replaces these functions by its
-- own migrations, so they belong to its role and keep its result types.
-- An unset setting reads as null the first time and as '' after a transaction that had set it: both mean no claim.

create function auth.jwt() returns jsonb
language sql stable
return coalesce(
  nullif(pg_catalog.current_setting('request.jwt.claim', true), ''),
  nullif(pg_catalog.current_setting('request.jwt.claims', true), '')
)::pg_catalog.jsonb;

create function auth.uid() returns uuid
language sql stable
return coalesce(
  nullif(pg_catalog.current_setting('request.jwt.claim.sub', true), ''),
  nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'sub'
)::pg_catalog.uuid;

create function auth.role() returns text
language sql stable
return coalesce(
  nullif(pg_catalog.current_setting('request.jwt.claim.role', true), ''),
  nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'role'
);

create function auth.email() returns text
language sql stable
return coalesce(
  nullif(pg_catalog.current_setting('request.jwt.claim.email', true), ''),
  nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'email'
);

-- The bodies above are parsed now, not when they are called: no later search_path changes what they mean. Without a SET clause they can be
-- inlined, which keeps row policies quick.
alter function auth.jwt() owner to supabase_auth_admin;
alter function auth.uid() owner to supabase_auth_admin;
alter function auth.role() owner to supabase_auth_admin;
alter function auth.email() owner to supabase_auth_admin;
