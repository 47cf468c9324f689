alter table projects add column token_logins boolean not null default false;

-- Roles that are, or may be, in a project's cluster until they expire; null is never. A row is there before its role and
-- goes after it. What has expired stays so: a name is never used again. secret is the sealed password of roles as which
-- the ingress logs in itself; that of the others only their users know. After a sweep that could not drop the role, swept_at
-- tells when it was.
create table temporary_roles (
    name text primary key,
    ref text not null references projects,
    acts_as text not null,
    secret bytea,
    expires_at timestamptz,
    swept_at timestamptz
);
create index on temporary_roles (ref);
create index on temporary_roles (expires_at);

-- Who may log in with an access token of theirs, and as which role. Goes with the membership.
create table token_grants (
    ref text not null references projects,
    organization_slug text not null,
    user_id uuid not null,
    role text not null,
    expires_at timestamptz,
    allowed_networks jsonb,
    branches_only boolean,
    login text references temporary_roles on delete set null,
    primary key (ref, user_id, role),
    foreign key (organization_slug, user_id) references members on delete cascade
);
create index on token_grants (organization_slug, user_id);
create index on token_grants (login);

create function expire_login() returns trigger language plpgsql as $$
begin
    update temporary_roles set expires_at = now() where name = old.login and (expires_at is null or expires_at > now());
    return null;
end $$;
create trigger expire_login after delete on token_grants for each row execute function expire_login();
