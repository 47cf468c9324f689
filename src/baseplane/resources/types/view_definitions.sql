-- The parsed query behind each view, for what its columns come from, and the names of those columns. Null where there
-- is more than %(bytes)s in all.
select
  c.oid,
  n.nspname as schema,
  c.relname as name,
  array(
    select a.attname from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 order by a.attnum
  ) as columns,
  case when sum(octet_length(w.ev_action::text)) over () <= %(bytes)s then w.ev_action::text end as definition
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_rewrite w on w.ev_class = c.oid and w.ev_type = '1'
where c.relkind in ('v', 'm') and n.nspname = any (%(schemas)s)
order by c.oid
limit %(limit)s
