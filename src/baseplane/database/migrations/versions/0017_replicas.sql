-- Read replicas. The API writes that one is wanted; from status on, workflows and the monitor write what was observed.
-- copies counts those of the primary that were broken off, since the last that was not.
create table replicas (
    identifier text primary key check (identifier ~ '^[a-z]{20}-rr-[a-z]+-[a-z]+-[0-9]-[a-z]{5}$'),
    ref text not null references projects,
    region text not null,
    created_at timestamptz not null default now(),
    status text not null default 'INIT_READ_REPLICA',
    cause text,
    copies int not null default 0,
    rebuilt_at timestamptz,
    bytes_behind bigint,
    seconds_behind double precision,
    measured_at timestamptz,
    streamed_at timestamptz,
    changed_at timestamptz
);
create index on replicas (ref, created_at);
