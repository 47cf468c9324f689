-- Secrets that are encrypted where they lie, with the names and signatures that users of supabase_vault know. The key is
-- a file beside the data directory (see local.py), so that neither a dump nor a copy of the data opens them without it.
--
-- Everything here belongs to the superuser, looks up names in pg_catalog first, and calls pgcrypto's C functions under
-- names of its own: the extension of that name is the tenant's to drop and to replace.
set check_function_bodies = off; -- an engine without pgcrypto says so when a secret is made
create function vault._pgp_encrypt(bytea, text, text) returns bytea
  language c volatile strict as '$libdir/pgcrypto', 'pgp_sym_encrypt_bytea';
create function vault._pgp_decrypt(bytea, text) returns bytea
  language c immutable strict as '$libdir/pgcrypto', 'pgp_sym_decrypt_bytea';
reset check_function_bodies;

create table vault.secrets (
  id uuid primary key default pg_catalog.gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea,
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
create unique index secrets_name_idx on vault.secrets (name) where name is not null;
comment on table vault.secrets is 'Encrypted secrets. Read them in vault.decrypted_secrets.';
comment on column vault.secrets.key_id is 'Unused; there for clients that name it.';
comment on column vault.secrets.nonce is 'Unused; each secret has a salt of its own in its ciphertext.';

-- The first key encrypts; the others, during a change of keys, only decrypt. One to a line, in hex.
create function vault._root_keys() returns text[]
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select string_to_array(btrim(pg_read_file(current_setting('data_directory') || '/../root.key'), E'\n'), E'\n')
$$;

-- Which key a ciphertext belongs to: the first four bytes of the key's SHA-256.
create function vault._key_tag(key text) returns bytea
language sql immutable
set search_path = pg_catalog, pg_temp
as $$ select substr(sha256(decode(key, 'hex')), 1, 4) $$;

-- The id goes in with the text, so that one row's ciphertext does not open in another.
create function vault._seal(id uuid, plain text) returns text
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select translate(encode(
    vault._key_tag(keys[1])
      || vault._pgp_encrypt(uuid_send(id) || convert_to(plain, 'UTF8'), keys[1], 'cipher-algo=aes256, s2k-mode=1'),
    'base64'), E'\n', '')
  from vault._root_keys() as keys
$$;

create function vault._open(id uuid, sealed text) returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  whole bytea := decode(sealed, 'base64');
  fitting text := (select k from unnest(vault._root_keys()) as k where vault._key_tag(k) = substr(whole, 1, 4));
  plain bytea;
begin
  if fitting is null then
    raise exception 'secret % was encrypted with another root key than this project has', id
      using hint = 'Put that root key back.';
  end if;
  plain := vault._pgp_decrypt(substr(whole, 5), fitting);
  if substr(plain, 1, 16) <> uuid_send(id) then
    raise exception 'secret % holds the ciphertext of another secret', id;
  end if;
  return convert_from(substr(plain, 17), 'UTF8');
end
$$;

create view vault.decrypted_secrets as
  select id, name, description, secret, vault._open(id, secret) as decrypted_secret, key_id, nonce, created_at, updated_at
  from vault.secrets;

create function vault.create_secret(
  new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
) returns uuid
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into vault.secrets (id, name, description, secret, key_id)
  select fresh, new_name, coalesce(new_description, ''), vault._seal(fresh, new_secret), new_key_id
  from gen_random_uuid() as fresh
  returning id
$$;

create function vault.update_secret(
  secret_id uuid, new_secret text default null, new_name text default null, new_description text default null,
  new_key_id uuid default null
) returns void
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  update vault.secrets
  set secret = case when new_secret is null then secret else vault._seal(id, new_secret) end,
      name = coalesce(new_name, name),
      description = coalesce(new_description, description),
      key_id = coalesce(new_key_id, key_id),
      updated_at = current_timestamp
  where id = secret_id
$$;

-- Encrypts anew, with the first key, what another key encrypted; gives the number of secrets.
create function vault._rotate() returns bigint
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  with renewed as (
    update vault.secrets set secret = vault._seal(id, vault._open(id, secret))
    where substr(decode(secret, 'base64'), 1, 4) <> vault._key_tag((vault._root_keys())[1])
    returning id
  )
  select count(*) from renewed
$$;

revoke all on all functions in schema vault from public;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres, service_role;
grant execute on function
  vault._open(uuid, text),
  vault.create_secret(text, text, text, uuid),
  vault.update_secret(uuid, text, text, text, uuid)
  to postgres, service_role;
