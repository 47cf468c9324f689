-- schemas: nothing,public,some
-- Schemas with nothing in them, or with one thing.
create schema nothing; create schema "some";
create function "some".thing() returns int language sql as 'select 1';
