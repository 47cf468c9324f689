-- What served when, from since to just before until: enough to let it serve again when functions and function_versions
-- have forgotten it. archived: the file is known to be in the archive; error: why it was not taken there at the last try.
create table function_history (
    id bigint generated always as identity primary key,
    project_ref text not null references projects on delete cascade,
    function_id uuid not null,
    slug text not null,
    name text not null,
    verify_jwt boolean not null,
    created_at timestamptz not null,
    number integer not null,
    format text not null,
    entrypoint text not null,
    import_map text,
    digest text not null,
    since timestamptz not null,
    until timestamptz,
    archived boolean not null default false,
    error text
);
create unique index on function_history (function_id) where until is null;
create index on function_history (project_ref, since);
create index on function_history (function_id, number);
create index on function_history (project_ref, digest) where not archived;

-- What serves when the transaction ends is what counts, however it came about.
create function record_what_serves() returns trigger language plpgsql as $$
declare
    changed uuid := coalesce(new.id, old.id);
    moment timestamptz := clock_timestamp();
begin
    update function_history h set until = greatest(moment, since) where function_id = changed and until is null
        and not exists (select from functions f where f.id = changed and not f.removed
            and (f.slug, f.name, f.verify_jwt, f.live) = (h.slug, h.name, h.verify_jwt, h.number));
    insert into function_history (project_ref, function_id, slug, name, verify_jwt, created_at, number, format, entrypoint,
            import_map, digest, since)
        select project_ref, id, slug, f.name, f.verify_jwt, f.created_at, number, format, entrypoint, import_map, digest, moment
        from functions f join function_versions on function_id = id and number = live
        where id = changed and not removed
        and not exists (select from function_history where function_id = changed and until is null);
    return null;
end $$;
create constraint trigger record_what_serves after insert or update or delete on functions
    deferrable initially deferred for each row execute function record_what_serves();

-- Of what was before, it is taken that it always was as it is now.
insert into function_history (project_ref, function_id, slug, name, verify_jwt, created_at, number, format, entrypoint,
        import_map, digest, since)
    select project_ref, id, slug, f.name, f.verify_jwt, f.created_at, number, format, entrypoint, import_map, digest, f.created_at
    from functions f join function_versions on function_id = id and number = live where not removed;

-- What is in the archive is deleted there first.
create or replace function forget_functions() returns trigger language plpgsql as $$
begin
    delete from functions where project_ref = new.ref;
    delete from function_history where project_ref = new.ref and not archived;
    return null;
end $$;
