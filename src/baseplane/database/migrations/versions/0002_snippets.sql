-- The contract calls a snippet's people by number.
alter table users add column number bigint generated always as identity unique;

create table snippets (
    id uuid primary key default gen_random_uuid(),
    project_ref text not null references projects on delete cascade,
    owner_id uuid not null references users on delete cascade,
    updated_by uuid references users on delete set null,
    name text not null check (name <> ''),
    description text,
    visibility text not null check (visibility in ('user', 'project', 'org', 'public')),
    sql text not null,
    inserted_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index on snippets (project_ref);
create index on snippets (owner_id);
create index on snippets (updated_by);

create table snippet_favorites (
    snippet_id uuid not null references snippets on delete cascade,
    user_id uuid not null references users on delete cascade,
    primary key (snippet_id, user_id)
);
create index on snippet_favorites (user_id);

-- A removed project's row stays, for its ref; its snippets go.
create function forget_snippets() returns trigger language plpgsql as $$
begin
    delete from snippets where project_ref = new.ref;
    return null;
end $$;
create trigger forget_snippets after update of status on projects
    for each row when (new.status = 'REMOVED') execute function forget_snippets();

-- A deleted user's own snippets go with them; shared ones pass to an owner of the project's organization.
create function hand_snippets_over() returns trigger language plpgsql as $$
begin
    update snippets s set owner_id = m.user_id
    from projects p, lateral (
        select user_id from members
        where organization_slug = p.organization_slug and role = 'Owner' and user_id <> old.id
        order by user_id limit 1
    ) m
    where p.ref = s.project_ref and s.owner_id = old.id and s.visibility <> 'user';
    return old;
end $$;
create trigger hand_snippets_over before delete on users for each row execute function hand_snippets_over();
