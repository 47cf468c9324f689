-- live is the number of the version that serves. A function that never had one is seen by nobody; one that is removed
-- stays until its processes and files are gone.
create table functions (
    id uuid primary key default gen_random_uuid(),
    project_ref text not null references projects on delete cascade,
    slug text not null,
    name text not null,
    verify_jwt boolean not null,
    live integer,
    removed boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index on functions (project_ref, slug) where not removed;
create index on functions (project_ref);

-- name and verify_jwt become the function's when the version goes live; null leaves them as they are then. A version is broken by its own fault, failed
-- by the platform's. The artifact's key is made of the digest.
create table function_versions (
    function_id uuid not null references functions on delete cascade,
    number integer not null check (number > 0),
    name text,
    verify_jwt boolean,
    format text not null check (format in ('source', 'eszip')),
    entrypoint text not null,
    import_map text,
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    state text not null default 'pending' check (state in ('pending', 'ready', 'broken', 'failed')),
    goes_live boolean not null,
    cause text check ((state in ('broken', 'failed')) = (cause is not null)),
    created_at timestamptz not null default now(),
    primary key (function_id, number)
);
create index on function_versions (function_id) where state = 'pending';
alter table functions add foreign key (id, live) references function_versions (function_id, number)
    deferrable initially deferred;

-- Gateways keep what they have read until they hear of a change.
create function announce_functions() returns trigger language plpgsql as $$
begin
    perform pg_notify('baseplane_functions', coalesce(new.project_ref, old.project_ref));
    return null;
end $$;
create trigger announce_functions after insert or update or delete on functions
    for each row execute function announce_functions();

-- They end what runs of a project that is paused.
create function announce_functions_of_project() returns trigger language plpgsql as $$
begin
    perform pg_notify('baseplane_functions', new.ref);
    return null;
end $$;
create trigger announce_functions after update of status on projects for each row
    when (old.status is distinct from new.status) execute function announce_functions_of_project();

create function forget_functions() returns trigger language plpgsql as $$
begin
    delete from functions where project_ref = new.ref;
    return null;
end $$;
create trigger forget_functions after update of status on projects for each row
    when (new.status = 'REMOVED') execute function forget_functions();
