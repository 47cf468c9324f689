-- The workflow that makes the project: what is tried again when it has failed.
alter table projects add column made_by text not null default 'project.create';

-- Projects that are made from the archive of another. secret and root_keys, sealed, open the source's data however the
-- source fares meanwhile; they go when the project is made. Without moment, point and as_backed_up, the newest is wanted.
create table clones (
    project_ref text primary key references projects on delete cascade,
    source_ref text not null references projects,
    backup bigint not null references backups,
    moment timestamptz,
    point bigint references restore_points,
    as_backed_up boolean not null,
    secret bytea,
    root_keys bytea[] not null,
    asked_at timestamptz not null default now(),
    last_commit timestamptz
);
create index on clones (source_ref);

create function forget_clone() returns trigger language plpgsql as $$
begin
    delete from clones where project_ref = new.ref;
    return null;
end $$;
create trigger forget_clone after update of status on projects for each row
    when (new.status = 'REMOVED') execute function forget_clone();
