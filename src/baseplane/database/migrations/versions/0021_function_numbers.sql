-- A version's number is the order in which it was asked for. What users see is counted among those that load.
alter table functions add column versions integer not null default 0;
alter table function_versions add column version integer;
update function_versions set version = number where state = 'ready';
update functions set versions = (
    select coalesce(max(version), 0) from function_versions where function_id = id
);
alter table function_versions add check ((state = 'ready') = (version is not null));
alter table function_versions add unique (function_id, version);

alter table function_history add column version integer;
update function_history h set version = coalesce(
    (select version from function_versions v where v.function_id = h.function_id and v.number = h.number), number
);
alter table function_history alter column version set not null;

create or replace function record_what_serves() returns trigger language plpgsql as $$
declare
    changed uuid := coalesce(new.id, old.id);
    moment timestamptz := clock_timestamp();
begin
    update function_history h set until = greatest(moment, since) where function_id = changed and until is null
        and not exists (select from functions f where f.id = changed and not f.removed
            and (f.slug, f.name, f.verify_jwt, f.live) = (h.slug, h.name, h.verify_jwt, h.number));
    insert into function_history (project_ref, function_id, slug, name, verify_jwt, created_at, number, version, format,
            entrypoint, import_map, digest, since)
        select project_ref, id, slug, f.name, f.verify_jwt, f.created_at, number, version, format, entrypoint, import_map,
            digest, moment
        from functions f join function_versions on function_id = id and number = live
        where id = changed and not removed
        and not exists (select from function_history where function_id = changed and until is null);
    return null;
end $$;
