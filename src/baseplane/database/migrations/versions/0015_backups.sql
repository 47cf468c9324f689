-- Whether the cluster summarises its log, which increments are taken from.
alter table projects add column summarize_wal boolean not null default false;

-- One per unbroken history of a project's data. behind_since: what has waited longest is that old; null: nothing waits.
-- complete_until: everything committed before is known to be in the archive.
create table archives (
    project_ref text not null references projects on delete cascade,
    generation text not null,
    began_at timestamptz not null default now(),
    ended_at timestamptz,
    shipped_at timestamptz,
    complete_until timestamptz,
    behind_since timestamptz,
    error text,
    primary key (project_ref, generation)
);

-- When the archive of everything was last looked at, in one row.
create table archive_looks (
    only_one boolean primary key default true check (only_one),
    looked_at timestamptz not null
);

-- root_key: sealed as in projects, that of the time of the backup, whose secrets it opens.
create table backups (
    id bigint generated always as identity primary key,
    project_ref text not null references projects on delete cascade,
    generation text not null,
    kind text not null check (kind in ('full', 'incremental')),
    parent bigint references backups,
    status text not null default 'PENDING'
        check (status in ('PENDING', 'COMPLETED', 'FAILED', 'CANCELLED', 'REMOVED')),
    inserted_at timestamptz not null default now(),
    finished_at timestamptz,
    first_segment text,
    size bigint,
    stored bigint,
    root_key bytea,
    cause text
);
create index on backups (project_ref, id);
create unique index on backups (project_ref) where status = 'PENDING';

create table restore_points (
    id bigint generated always as identity primary key,
    project_ref text not null references projects on delete cascade,
    name text not null,
    generation text,
    status text not null default 'PENDING' check (status in ('PENDING', 'AVAILABLE', 'FAILED', 'REMOVED')),
    completed_on timestamptz,
    cause text
);
create unique index on restore_points (project_ref, name) where status in ('PENDING', 'AVAILABLE');

create table backup_schedules (
    project_ref text primary key references projects on delete cascade,
    schedule_for time not null,
    updated_at timestamptz not null default now()
);

-- What a project is brought back to: a moment, a restore point, or a backup as it is. The data that it replaces stays
-- until keep_until.
create table recoveries (
    id bigint generated always as identity primary key,
    project_ref text not null references projects on delete cascade,
    backup bigint not null references backups,
    moment timestamptz,
    point bigint references restore_points,
    status_before text not null,
    state text not null default 'asked' check (state in ('asked', 'done', 'failed', 'cancelled')),
    asked_at timestamptz not null default now(),
    ended_at timestamptz,
    keep_until timestamptz,
    engine integer,
    version text,
    last_commit timestamptz,
    cause text
);
create unique index on recoveries (project_ref) where state = 'asked';

create table drills (
    id bigint generated always as identity primary key,
    project_ref text not null references projects on delete cascade,
    backup bigint not null references backups,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    passed boolean,
    cause text
);
