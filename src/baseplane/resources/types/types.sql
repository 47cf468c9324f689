-- Types of every schema, for a column of any schema may have one. Row types too, but not those of sequences.
select
  t.oid,
  n.nspname as schema,
  t.typname as name,
  pg_catalog.format_type(t.oid, null) as text,
  nullif(t.typrelid, 0) as relation,
  array(
    select e.enumlabel from pg_catalog.pg_enum e where e.enumtypid = t.oid order by e.enumsortorder
  ) as labels,
  array(
    select a.attname from pg_catalog.pg_attribute a
    where c.relkind = 'c' and a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum
  ) as attribute_names,
  array(
    select a.atttypid from pg_catalog.pg_attribute a
    where c.relkind = 'c' and a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum
  ) as attribute_types
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
left join pg_catalog.pg_class c on c.oid = t.typrelid
where t.typrelid = 0 or c.relkind in ('c', 'r', 'p', 'v', 'm', 'f')
order by t.oid
limit %(limit)s
