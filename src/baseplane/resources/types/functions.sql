-- Functions that a request can call: neither procedures, aggregates and window functions nor those for triggers.
select
  p.oid,
  n.nspname as schema,
  p.proname as name,
  coalesce(p.proargmodes::text[], array_fill('i'::text, array[p.pronargs::int])) as modes,
  coalesce(p.proargnames, array_fill(''::text, array[cardinality(coalesce(p.proallargtypes, p.proargtypes::oid[]))]))
    as names,
  coalesce(p.proallargtypes, p.proargtypes::oid[]) as types,
  p.pronargs as inputs,
  p.pronargdefaults as defaults,
  pg_catalog.pg_get_function_arguments(p.oid) as arguments_text,
  pg_catalog.pg_get_function_identity_arguments(p.oid) as identity_text,
  pg_catalog.pg_get_function_result(p.oid) as result_text,
  p.prorettype as returns,
  nullif(r.typrelid, 0) as returns_relation,
  p.proretset as returns_set,
  p.proretset and p.prorows > 1 as returns_many
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_type r on r.oid = p.prorettype
where n.nspname = any (%(schemas)s)
  and p.prokind = 'f'
  and p.prorettype not in ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
order by p.oid
limit %(limit)s
