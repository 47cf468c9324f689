-- The ingress processes that serve now. What changes who may enter is announced with a number; each door tells up to
-- which one it has ended the sessions that may not be any more.
create table doors (
    id uuid primary key,
    seen_at timestamptz not null default now(),
    followed bigint not null
);
create sequence door_announcements;

-- A sleeping project is healthy, and its cluster is not running: whoever comes wakes it.
alter table projects
    add column asleep boolean not null default false,
    add column used_at timestamptz not null default now();
