-- One of everything that the document speaks of, and names that try to break out of where they are put.
comment on schema public is e'The shop\n\nEverything that is for sale.\nAnd who buys it.';

create schema hidden;
create type public.mood as enum ('sad', 'it''s "fine"', 'héhé');
create domain public.email as varchar(80) not null default 'nobody' check (value like '%@%');
create domain public.feeling as public.mood;
create type public.point2 as (x int, y int);

create table public.customers (
    id bigint generated always as identity primary key,
    email public.email,
    name varchar(40) not null default 'who''s there',
    initial char(1) default 'x',
    bits bit(5),
    mood public.mood default 'sad',
    moods public.mood[] default '{}',
    feeling public.feeling,
    tags text[] not null default array['new'],
    born date default current_date,
    seen timestamptz not null default now(),
    balance numeric(10, 2) default 1.50,
    debt numeric default -1,
    limit_ int default 100,
    score real default 'NaN',
    ratio double precision default 0.5,
    active boolean not null default true,
    settings jsonb default '{"a": 1}',
    raw json,
    spot public.point2,
    token uuid default gen_random_uuid(),
    blob bytea,
    quoted text default 'say "hi"',
    slashed text default 'a\b',
    lines text default e'a\nb',
    empty text default '',
    cast_ text default 'a'::varchar,
    initials text generated always as (upper(name)) stored,
    key text unique,
    wait interval hour to minute default '1 hour',
    small smallint default 7,
    big bigint default 9007199254740993,
    huge numeric default 123456789012345678901234567890
);
comment on table public.customers is e'Who buys\n\n\nMore about them.\n\nAnd more.';
comment on column public.customers.email is e'Where to write\nto';
comment on column public.customers.id is 'Their number';

create table public.groups (id int primary key, slug text unique, owner bigint references public.customers);
create table public.members (
    customer bigint references public.customers,
    "group" int references public.groups,
    since date not null,
    invited_by bigint,
    primary key (customer, "group"),
    foreign key (customer, invited_by) references public.members (customer, "group") not valid
);
create table public.nodes (id int primary key, parent int references public.nodes, root int references public.nodes);
create table public.both (a int references public.groups references public.nodes, b text references public.groups (slug));
create table public.no_columns ();
create table public.no_key (a int, b text);
create table hidden.secrets (id int primary key, customer bigint references public.customers, code text);
create table public.uses_hidden (id int primary key, secret int references hidden.secrets);
create table public.measures (at timestamptz not null, node int references public.nodes, value float8) partition by range (at);
create table public.measures_2026 partition of public.measures for values from ('2026-01-01') to ('2027-01-01');
create unlogged table public.parent (id int primary key, note text);
create table public.child (extra int) inherits (public.parent);

create view public.vips as select id, name, email, balance from public.customers where balance > 1000;
comment on view public.vips is 'One line';
comment on column public.vips.name is 'as they call themselves';
create view public.counted as select mood, count(*) as n from public.customers group by mood;
create view public.joined as
    select m.customer, m."group", c.name, g.slug, g.id as group_id
    from public.members m join public.customers c on c.id = m.customer join public.groups g on g.id = m."group";
create view public.part_of_key as select customer, since from public.members;
create view public.secrets as select id, customer, code from hidden.secrets;
create view public.over_vips as select id as vip, name from public.vips;
create view public.united as select id, parent from public.nodes union all select id, root from public.nodes;
create view public.within as select n.id, (select max(k.id) from public.groups k) as top from public.nodes n;
create view public.nothing as select 1 as one, 'x' as "two }{ \ words";
create view public.triggered as select id, count(*) from public.nodes group by id;
create function public.swallow() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger swallow instead of insert on public.triggered for each row execute function public.swallow();
create materialized view public.snapshot as select id, slug from public.groups;
create view hidden.between as select id, owner from public.groups;
create view public.through_hidden as select id, owner from hidden.between;

create function public.add(a int, b int default 1) returns int immutable language sql as 'select a + b';
comment on function public.add is e'Adds\n\ntwo numbers.';
create function public.write_down(note text, at timestamptz default now(), mood public.mood default 'sad')
    returns setof public.customers language sql as 'select * from public.customers';
create function public.overloaded(a int) returns int stable language sql as 'select a';
create function public.overloaded(a int, b text) returns int stable language sql as 'select a';
create function public.overloaded(b json, c int, d int) returns int stable language sql as 'select 1';
create function public.many(variadic names text[]) returns int immutable language sql as 'select 1';
create function public.takes_json(json) returns int immutable language sql as 'select 1';
create function public.takes_unnamed_int(int) returns int immutable language sql as 'select 1';
create function public.takes_two_unnamed(int, text) returns int immutable language sql as 'select 1';
create function public.lists(ids int[], flags bit, letters character, points public.point2[], body jsonb)
    returns table (a int, b text) stable language sql as $$ select 1, 'a' $$;
create function public.gives_out(a int, out b int, out c text) stable language sql as $$ select 1, 'a' $$;
create function public.nothing_in() returns void language sql as 'select';
create function public.not_for_service() returns int language sql as 'select 1';
revoke execute on function public.not_for_service() from public, anon, authenticated, service_role;
create procedure public.proceeds() language sql as 'select';
create aggregate public.total(int) (sfunc = int4pl, stype = int);

create table public.private_ (id int);
revoke all on public.private_ from anon, authenticated, service_role;
create table public.one_column (id int primary key, secret text);
revoke all on public.one_column from anon, authenticated, service_role;
grant select (id) on public.one_column to service_role;

create table public."Ünï cödé ""quoted"" }{ \ ' / ? # % & <pk/> .dot" (
    "id { } "" '" int primary key,
    "<fk table='x' column='y'/>" int references public.groups,
    "a.b,c:d" text default ''');drop table x;--'
);
comment on column public."Ünï cödé ""quoted"" }{ \ ' / ? # % & <pk/> .dot"."a.b,c:d" is '</script>';
