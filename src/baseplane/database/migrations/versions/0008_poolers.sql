-- What a user has chosen; a project without a row, or with a null, has what its compute size gives.
create table poolers (
    project_ref text primary key references projects on delete cascade,
    pool_mode text not null default 'transaction' check (pool_mode in ('transaction', 'session')),
    default_pool_size int check (default_pool_size > 0)
);
