-- The parsed query behind each view, for what its columns come from.
select
  c.oid::bigint as oid,
  c.relname as name,
  n.nspname as schema,
  array(select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 order by a.attnum) as columns,
  w.ev_action::text as definition
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_rewrite w on w.ev_class = c.oid and w.ev_type = '1'
where c.relkind in ('v', 'm')
  and n.nspname = any (%(exposed)s || %(extra)s::text[])
order by c.oid
