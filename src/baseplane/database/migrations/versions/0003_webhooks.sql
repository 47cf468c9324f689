-- Projects whose database has the schemas of webhooks: the worker serves their queues.
create table webhooks (
    project_ref text primary key references projects on delete cascade,
    enabled_at timestamptz not null default now()
);
