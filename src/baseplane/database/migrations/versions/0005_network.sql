-- What is wanted holds for whoever comes from its commit on. It counts as applied when those inside were looked at again
-- as well, which is done for one version after the other. A project without a row is open to every address, with or
-- without TLS.
create table network_restrictions (
    ref text primary key references projects on delete cascade,
    allowed cidr[] not null,
    version bigint not null default 1,
    updated_at timestamptz not null default now(),
    applied cidr[] not null,
    applied_version bigint not null default 0,
    applied_at timestamptz
);
create index on network_restrictions (ref) where applied_version <> version;

create table ssl_enforcement (
    ref text primary key references projects on delete cascade,
    wanted boolean not null,
    version bigint not null default 1,
    applied boolean not null default false,
    applied_version bigint not null default 0
);
create index on ssl_enforcement (ref) where applied_version <> version;

-- Failed logins by where they came from: an IPv4 address, or an IPv6 network of 64 bits, which is what one site has.
create table login_failures (
    ref text not null references projects on delete cascade,
    network cidr not null,
    failures int not null default 1,
    since timestamptz not null default now(),
    role text not null,
    sqlstate text not null,
    banned_until timestamptz,
    primary key (ref, network)
);

-- Nothing of a removed project's network stays.
create function forget_network() returns trigger language plpgsql as $$
begin
    delete from network_restrictions where ref = new.ref;
    delete from ssl_enforcement where ref = new.ref;
    delete from login_failures where ref = new.ref;
    return null;
end $$;
create trigger forget_network after update of status on projects
    for each row when (new.status = 'REMOVED') execute function forget_network();
