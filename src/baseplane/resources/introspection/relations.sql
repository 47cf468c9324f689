-- Tables and views that service_role may use in any way; partitions are part of their table.
-- pg_relation_is_updatable answers in bits by command: 4 is UPDATE, 8 INSERT, 16 DELETE. True counts INSTEAD OF triggers.
select
  c.oid::bigint as oid,
  c.relname as name,
  obj_description(c.oid, 'pg_class') as comment,
  c.relkind in ('v', 'm') as is_view,
  c.relkind in ('r', 'p')
    or c.relkind in ('v', 'f') and pg_relation_is_updatable(c.oid, true) & 28 <> 0 as is_writable
from pg_class c
where c.relnamespace = %(schema)s::regnamespace
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and not c.relispartition
  and (
    pg_has_role('service_role', c.relowner, 'usage')
    or has_table_privilege(
      'service_role', c.oid, 'select, insert, update, delete, truncate, references, trigger')
    or has_any_column_privilege('service_role', c.oid, 'select, insert, update, references'))
order by c.relname
