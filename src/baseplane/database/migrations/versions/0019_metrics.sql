-- A token of kind metrics belongs to nobody: it reads the installation's metrics, and is no caller of the API.
alter table access_tokens
    alter column user_id drop not null,
    drop constraint access_tokens_kind_check,
    add check (kind in ('personal', 'oauth', 'metrics')),
    add check ((kind = 'metrics') = (user_id is null));

create index on runs (finished_at) where state = 'failed';
create index on drills (project_ref, id);
