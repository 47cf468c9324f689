-- schemas: public,Quoted Schema,order,grüße,a.b,a,it's "so",tab	tab
-- Names that need quotes, that are reserved, in other scripts, long, odd; and their order.
create table "a table" ("a column" int primary key, "1" int, "01" int, "1.5" int, "class" text, "délà" text, "quote""d" text, "it's" text, "both'""" text, "back\slash" text,
 "new
line" text, "tab	" text, "$dollar" int, "a$b" int, "日本語" text, "😀" text, "comma,comma" text, "{brace}" text, "(paren)" int, "<>" int, "constructor" int, "__proto__" int);
create table "Zebra" (id int primary key, "Alpha" int, alpha int, "ALPHA" int, "álpha" int, "Álpha" int, _alpha int, "-alpha" int, "al pha" int, "al_pha" int, "al-pha" int, alpha1 int, alpha10 int, alpha2 int,
 beta int, "éa" int, eb int, ea int, "ñ" int, nz int, o int, "ß" int, ss int, st int, "æ" int, ae int, af int, "ø" int, oz int, "Ω" int, "ω" int, "я" int, "Я" int, "б" int, "א" int, "ب" int, "中" int, "あ" int, "ア" int, "€" int, "¿" int, "²" int, "٣" int, "½" int);
create table zebra (id int references "Zebra", "Zebra" int references "Zebra");
create table "ZEBRA" (id int); create table _zebra (id int); create table "1zebra" (id int); create table "zebra 2" (id int); create table zebra_2 (id int);
create table "delete" ("select" int, "from" int, "default" int, "new" int, "undefined" int, "null" int);
create table a_name_that_is_as_long_as_postgres_will_have_it_which_is_63_chr (
  another_name_that_is_as_long_as_postgres_will_have_it_which_63c text, b int,
  c_with_a_name_so_long_that_the_line_will_be_broken_behind_it_ text);
create type "an enum" as enum ('a', 'b"c', 'd''e', 'f''"g', 'h\i', 'new
line', '', 'ünï', '日本', 'tab	', 'true', '1');
create type long_enum as enum ('first of the labels', 'second of the labels', 'third of the labels', 'fourth');
create type wide_enum as enum ('日本語日本語日本語', '中文中文中文中文中', 'nihongo nihongo nihongo nihong') ;
create table of_enums ("the enum" "an enum", enums "an enum"[] not null, long_one long_enum default 'fourth', of_enums text);
create schema "Quoted Schema";
create table "Quoted Schema"."Parent" (id int primary key, "Other Id" int unique);
create table "Quoted Schema"."Child" (id int primary key references "Quoted Schema"."Parent", "Parent" int references "Quoted Schema"."Parent" ("Other Id"));
create view "Quoted Schema"."View" as select id as child, "Parent" from "Quoted Schema"."Child";
create function "Quoted Schema"."Fn"("Arg One" int, "arg" "Quoted Schema"."Parent") returns "Quoted Schema"."Child" language sql as 'select null::"Quoted Schema"."Child"';
create function "Quoted Schema".computed("Quoted Schema"."Parent") returns setof "Quoted Schema"."Child" rows 1 language sql as 'select null::"Quoted Schema"."Child"';
create schema "order";
create table "order"."table" (id int primary key, parent int references "order"."table");
create view "order"."view" as select * from "order"."table";
create schema "grüße";
create table "grüße"."straße" (id int primary key, "nächste" int references "grüße"."straße");
create schema "a.b"; create schema a;
create table a."b.c" (id int primary key);
create table "a.b".c (id int primary key references a."b.c");
create schema "it's ""so""";
create type "it's ""so""".e as enum ('x'); create table "it's ""so""".t (e "it's ""so""".e, es "it's ""so""".e[]);
create schema "tab	tab"; create table "tab	tab".t (id int);
create function "with space"("an arg" int default 1, "1" text default '', "ünï" int default 2) returns int language sql as 'select 1';
create function "10"() returns int language sql as 'select 1'; create function "9"() returns int language sql as 'select 1'; create function "09"() returns int language sql as 'select 1';
create function "a""b"("c""d" "a table") returns "a table" language sql as 'select null::"a table"';
