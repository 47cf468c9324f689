-- How the archive of this database stands, in one row; there is none where the operator keeps the database himself.
-- behind_since and error as in archives; failure says why the last backup was not taken.
create table platform_archive (
    only_one boolean primary key default true check (only_one),
    generation text not null,
    behind_since timestamptz,
    error text,
    backed_up_at timestamptz,
    stored bigint,
    failed_at timestamptz,
    failure text
);

-- The data directory is gone with its machine: what there is of the project is in its archive.
alter table projects add column lost boolean not null default false;
create index on projects (id) where lost;

-- A restore to the end of what is archived, of a project that is lost.
alter table recoveries add column latest boolean not null default false;
