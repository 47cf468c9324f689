create table users (
    id uuid primary key default gen_random_uuid(),
    email text not null unique check (email = lower(email)),
    name text not null,
    created_at timestamptz not null default now()
);

create table organizations (
    slug text primary key check (slug ~ '^[\w-]+$'),
    name text not null,
    created_at timestamptz not null default now()
);

create table members (
    organization_slug text not null references organizations on delete cascade,
    user_id uuid not null references users on delete cascade,
    role text not null check (role in ('Owner', 'Administrator', 'Developer', 'Read-only')),
    primary key (organization_slug, user_id)
);
create index on members (user_id);

-- Of a token only its digest is kept. permissions, scopes, organizations and projects narrow it; null means "not narrowed".
create table access_tokens (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users on delete cascade,
    digest bytea not null unique,
    name text not null,
    hint text not null,
    kind text not null check (kind in ('personal', 'oauth')),
    permissions text[],
    scopes text[],
    organizations text[],
    projects text[],
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    check ((kind = 'oauth') = (scopes is not null))
);
create index on access_tokens (user_id);

-- The API writes what is wanted; what is observed, from status on, is written by workflows alone.
create table projects (
    id bigint generated always as identity unique,
    ref text primary key check (ref ~ '^[a-z]{20}$'),
    organization_slug text not null references organizations,
    name text not null,
    region text not null,
    size text not null,
    engine int not null,
    password bytea not null,
    secret bytea not null,
    jwt_secret bytea not null,
    created_at timestamptz not null default now(),
    status text not null default 'COMING_UP',
    cause text,
    status_since timestamptz not null default now(),
    postgres_version text
);
create unique index on projects (organization_slug, name) where status <> 'REMOVED';
create index on projects (status);

-- A run of a workflow: its steps are journalled one by one, so that any worker can carry on where another died.
create table runs (
    id uuid primary key default gen_random_uuid(),
    workflow text not null,
    subject text not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'undoing', 'done', 'failed', 'cancelled')),
    epoch int not null default 0,
    cancel boolean not null default false,
    cause text,
    created_at timestamptz not null default now(),
    finished_at timestamptz
);
create index on runs (subject, created_at);
create index on runs (created_at) where finished_at is null;

create table run_steps (
    run_id uuid not null references runs on delete cascade,
    position int not null,
    name text not null,
    state text not null default 'started' check (state in ('started', 'done', 'undone', 'failed')),
    attempts int not null default 1,
    error text,
    started_at timestamptz not null default now(),
    deadline timestamptz not null,
    finished_at timestamptz,
    primary key (run_id, position)
);

-- The first answer to a POST with an Idempotency-Key, sealed, since answers may hold secrets.
create table idempotency_keys (
    user_id uuid not null references users on delete cascade,
    key text not null,
    request bytea not null,
    status int,
    answer bytea,
    created_at timestamptz not null default now(),
    primary key (user_id, key)
);
create index on idempotency_keys (created_at);

create function announce_token() returns trigger language plpgsql as $$
begin
    perform pg_notify('baseplane_tokens', coalesce(new.user_id, old.user_id)::text);
    return null;
end $$;
create trigger announce_token after update or delete on access_tokens for each row execute function announce_token();
