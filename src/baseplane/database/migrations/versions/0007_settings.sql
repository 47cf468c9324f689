-- What the project's users override of Postgres' settings, as they sent it; every start takes these.
alter table projects add column settings jsonb not null default '{}';

-- Settings that are being tried. They become the project's when its cluster has served with them.
create table settings_changes (
    ref text primary key references projects,
    settings jsonb not null,
    restart boolean not null
);
