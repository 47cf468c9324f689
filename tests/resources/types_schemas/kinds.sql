-- schemas: public,shared,empty,enums_only
-- Domains, composites, ranges, arrays, types of extensions, and types of one name in several schemas.
create extension citext with schema extensions; create extension hstore with schema extensions; create extension vector with schema extensions;
create schema shared; create schema empty; create schema enums_only; create schema secret;
create type colour as enum ('red', 'green'); create type shared.colour as enum ('blue'); create type secret.colour as enum ('black', 'a "dark" one', 'it''s');
create type secret.only_here as enum ('x', 'y'); create type secret.single as enum ('just one');
create type secret.many as enum ('a label of some length', 'another label of some length', 'yet another label of some length');
create type secret.form as (a int); create table secret.rows_ (a int); create view secret.shown as select 1 as a;
create type no_labels as enum (); create type no_attributes as ();
create type _underscored as enum ('u'); create type shared.other as enum ('o'); create type "_other" as enum ('p');
create type point3 as (x float8, y float8, "z z" float8);
create type nested as (points point3[], colour colour, colours shared.colour[], hidden secret.only_here, many secret.many[], form secret.form, j jsonb, e no_labels, n shared.other) ;
create domain positive as int check (value > 0); create domain required as text not null; create domain tinted as colour; create domain tints as colour[];
create domain tiny as positive check (value < 10); create domain placed as point3; create domain "text" as int; create domain shared.mail as citext; create domain shared.json_ as jsonb not null;
create table domains (a positive, b required, c tinted not null, d tints, e tiny, f placed, g public."text", h shared.mail, i shared.json_, j positive[], k tinted[], l shared.mail[] not null);
create table mixed (
  a colour, b shared.colour, c secret.colour, d secret.colour[], e secret.only_here not null, f secret.many, g secret.many[] not null, h secret.many[][], i secret.single, j secret.single[],
  k no_labels, l no_attributes, m _underscored, n _underscored[], o shared.other, p "_other", q point3[], r nested, s nested[] not null, t secret.form, u secret.rows_, v secret.shown);
create table extended (a extensions.citext, b extensions.hstore, c extensions.vector(3), d extensions.citext[] not null, e extensions.vector[], f extensions.halfvec(2));
create table built_in (
  a int4range, b tstzrange[], c int4multirange, d tsvector, e tsquery, f point, g polygon, h cidr, i macaddr, j oid, k regclass, l name, m "char", n bit varying(3), o pg_lsn, p money, q xml, r uuid[],
  s varchar(3)[], t char(2), u timestamptz(3), v interval[], w bytea[], x jsonpath, y int2vector, z float4);
create table rows_of (a mixed, b mixed[] not null, c shared.colour);
create table shared.mixed (a public.mixed, b shared.colour, c point3, d "text", e public.tinted);
create type shared.point3 as (x int); create table shared.uses (a shared.point3, b public.point3, c rows_of, m shared.mixed);
create type enums_only.a as enum ('1', 'two'); create type enums_only.b as enum ('only');
create type enums_only.a_very_long_name_of_an_enum_that_goes_on_and_on as enum ('a label that is long', 'b');
create function over_types(c secret.many, d secret.many[], e tiny, f shared.mail, g extensions.citext, h secret.form) returns secret.many language sql as 'select c';
create function set_of_hidden() returns setof secret.many language sql as 'select null::secret.many';
create function set_of_hidden_short() returns setof secret.only_here language sql as 'select null::secret.only_here';
create function set_of_single() returns setof secret.single language sql as 'select null::secret.single';
create function array_of_hidden() returns secret.many[] language sql as 'select null::secret.many[]';
create function set_of_array_of_hidden() returns setof secret.only_here[] language sql as 'select null::secret.only_here[]';
create function hidden_form(secret.form) returns secret.rows_ language sql as 'select null::secret.rows_';
create function hidden_rows() returns setof secret.rows_ language sql as 'select null::secret.rows_';
create function hidden_of(mixed) returns secret.many language sql as 'select null::secret.many';
create function hidden_arrays_of(mixed) returns secret.many[] language sql as 'select null::secret.many[]';
create function shared.visible(p public.point3, t shared.uses) returns shared.point3 language sql as 'select null::shared.point3';
create function domain_rows() returns setof tinted language sql as 'select null::tinted';
create sequence counter;
create function of_sequence() returns setof oidvector language sql as 'select null::oidvector';
create view enum_view as select a, e, f, k from mixed;
