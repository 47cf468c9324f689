-- What the project's users override of Postgres' settings, as they sent it; every start takes these. Those that Postgres
-- last served with are what a start falls back to that fails with others. read_only is the platform's own doing.
alter table projects
    add column settings jsonb not null default '{}',
    add column settings_served jsonb not null default '{}',
    add column read_only boolean not null default false;

-- Settings that are being tried. They become the project's when its cluster has served with them.
create table settings_changes (
    ref text primary key references projects,
    settings jsonb not null,
    restart boolean not null
);

-- A project's disk is an allowance. What was never set or never happened is null; the operator's settings say the rest.
create table disks (
    ref text primary key references projects,
    type text,
    iops int,
    throughput_mibps int,
    size_gb double precision,
    used_bytes bigint,
    measured_at timestamptz,
    due_at timestamptz not null default now(),
    override_until timestamptz
);

create table disk_changes (
    ref text not null references projects,
    made_at timestamptz not null default now(),
    made_by text not null check (made_by in ('user', 'autoscale')),
    size_gb double precision not null
);
create index on disk_changes (ref, made_at);
