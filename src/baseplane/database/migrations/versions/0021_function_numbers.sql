-- A version's number is the order in which it was asked for. What users see is counted among those that load.
alter table functions add column versions integer not null default 0;
alter table function_versions add column version integer;
update function_versions set version = number where state = 'ready';
update functions set versions = (
    select coalesce(max(version), 0) from function_versions where function_id = id
);
alter table function_versions add check ((state = 'ready') = (version is not null));
alter table function_versions add unique (function_id, version);
