-- Tables that role postgres may use; views, materialized views and foreign tables all of them.
-- pg_relation_is_updatable answers in bits by command: 4 is UPDATE, 8 INSERT. True counts INSTEAD OF triggers.
select
  c.oid,
  n.nspname as schema,
  c.relname as name,
  c.relkind as kind,
  c.relkind = 'v' and pg_catalog.pg_relation_is_updatable(c.oid, true) & 8 <> 0 as is_insertable,
  c.relkind = 'v' and pg_catalog.pg_relation_is_updatable(c.oid, true) & 4 <> 0 as is_updatable
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s)
  and (
    c.relkind in ('v', 'm', 'f')
    or c.relkind in ('r', 'p') and (
      pg_catalog.pg_has_role('postgres', c.relowner, 'usage')
      or pg_catalog.has_table_privilege(
        'postgres', c.oid, 'select, insert, update, delete, truncate, references, trigger')
      or pg_catalog.has_any_column_privilege('postgres', c.oid, 'select, insert, update, references')))
order by c.oid
limit %(limit)s
