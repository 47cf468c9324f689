-- Whether the legacy pair of API keys, which are computed and not stored, opens anything.
alter table projects add column legacy_keys boolean not null default true;

-- A key is found by its digest, and kept sealed since it may be shown again. token_claims: beside the platform's own.
create table api_keys (
    id uuid primary key default gen_random_uuid(),
    project_ref text not null references projects on delete cascade,
    type text not null check (type in ('publishable', 'secret')),
    name text not null check (name ~ '^[a-z_][a-z0-9_]{3,63}$'),
    description text,
    prefix text not null,
    digest bytea not null unique,
    sealed bytea not null,
    token_claims jsonb check ((type = 'secret') = (token_claims is not null)),
    inserted_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (project_ref, type, name)
);

-- The id is the key's kid, which the owner of an imported key chooses.
create table signing_keys (
    project_ref text not null references projects on delete cascade,
    id uuid not null,
    algorithm text not null check (algorithm in ('ES256', 'RS256', 'EdDSA', 'HS256')),
    status text not null check (status in ('standby', 'in_use', 'previously_used', 'revoked')),
    is_legacy boolean not null default false,
    public_jwk jsonb check ((algorithm = 'HS256') = (public_jwk is null)),
    sealed bytea not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (project_ref, id)
);
create unique index on signing_keys (project_ref) where status = 'in_use';
create unique index on signing_keys (project_ref) where is_legacy;

-- Whose tokens a project accepts. Keys that were resolved serve until others are; refresh_at is the worker's.
create table third_party_auth (
    id uuid primary key default gen_random_uuid(),
    project_ref text not null references projects on delete cascade,
    type text not null check (type in ('oidc', 'jwks', 'custom')),
    oidc_issuer_url text check ((type = 'oidc') = (oidc_issuer_url is not null)),
    jwks_url text check ((type = 'jwks') = (jwks_url is not null)),
    custom_jwks jsonb check ((type = 'custom') = (custom_jwks is not null)),
    issuer text check ((type = 'oidc') = (issuer is not null)),
    resolved_jwks jsonb not null,
    resolved_at timestamptz not null default now(),
    refresh_at timestamptz not null default 'infinity',
    inserted_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index on third_party_auth (project_ref);
create index on third_party_auth (refresh_at);

create table secrets (
    project_ref text not null references projects on delete cascade,
    name text not null,
    sealed bytea not null,
    updated_at timestamptz not null default now(),
    primary key (project_ref, name)
);

-- Every process that lets requests in keeps what it has read until it hears of a change.
create function announce_keys() returns trigger language plpgsql as $$
begin
    perform pg_notify('baseplane_keys', coalesce(new.project_ref, old.project_ref));
    return null;
end $$;
create trigger announce_keys after insert or update or delete on api_keys
    for each row execute function announce_keys();
create trigger announce_keys after insert or update or delete on signing_keys
    for each row execute function announce_keys();
create trigger announce_keys after insert or delete or update of resolved_jwks, issuer on third_party_auth
    for each row execute function announce_keys();
create trigger announce_keys after insert or update or delete on secrets
    for each row execute function announce_keys();

create function announce_project() returns trigger language plpgsql as $$
begin
    perform pg_notify('baseplane_keys', new.ref);
    return null;
end $$;
create trigger announce_new_keys after insert on projects for each row execute function announce_project();
create trigger announce_keys after update of legacy_keys, jwt_secret, password, status on projects for each row
    when (old.legacy_keys is distinct from new.legacy_keys or old.jwt_secret is distinct from new.jwt_secret
        or old.password is distinct from new.password or new.status = 'REMOVED')
    execute function announce_project();

-- No secret of a removed project stays.
create function forget_keys() returns trigger language plpgsql as $$
begin
    delete from api_keys where project_ref = new.ref;
    delete from signing_keys where project_ref = new.ref;
    delete from third_party_auth where project_ref = new.ref;
    delete from secrets where project_ref = new.ref;
    return null;
end $$;
create trigger forget_keys after update of status on projects for each row
    when (new.status = 'REMOVED') execute function forget_keys();
