-- What a user has chosen for the REST server; a project without a row has the defaults. Lists are kept as they were sent.
create table postgrest (
    project_ref text primary key references projects on delete cascade,
    db_schema text not null,
    db_extra_search_path text not null,
    max_rows int not null check (max_rows >= 0),
    db_pool int check (db_pool > 0)
);
create trigger announce_keys after insert or update or delete on postgrest
    for each row execute function announce_keys();

-- Whoever lets requests in goes by the size, too: it gives the pool.
create trigger announce_size after update of size on projects for each row
    when (old.size is distinct from new.size) execute function announce_project();
