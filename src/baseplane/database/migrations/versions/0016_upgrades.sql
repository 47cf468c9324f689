-- Upgrades to another major, each with how far it came; at most one of a project is going on.
create table upgrades (
    id uuid primary key default gen_random_uuid(),
    ref text not null references projects,
    engine int not null,
    version text not null,
    state text not null default 'upgrading' check (state in ('upgrading', 'upgraded', 'failed')),
    progress text not null default '0_requested',
    error text,
    cause text,
    remarks text[] not null default '{}',
    initiated_at timestamptz not null default now(),
    latest_status_at timestamptz not null default now()
);
create unique index on upgrades (ref) where state = 'upgrading';
create index on upgrades (ref, initiated_at);

-- Questions whether a project can go to a major, null for the newest there is, and the answers: a worker gives them.
create table upgrade_checks (
    id uuid primary key default gen_random_uuid(),
    ref text not null references projects,
    engine int,
    findings jsonb,
    asked_at timestamptz not null default now()
);
create index on upgrade_checks (ref);

-- A change of what Postgres is started with may be one of the compute size; what is null stays as it is.
alter table settings_changes
    add column size text,
    alter column settings drop not null;
