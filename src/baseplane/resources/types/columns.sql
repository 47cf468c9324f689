-- A column of a domain has the type that the domain is made of. A view's column can be written if the view maps it to
-- one of a table, or if triggers or unconditional rules take the place of writing.
with handled as (
  select tgrelid as relation from pg_catalog.pg_trigger
  where not tgisinternal and tgtype & 64 <> 0 and tgtype & 20 <> 0  -- INSTEAD OF; INSERT or UPDATE
  union
  select ev_class from pg_catalog.pg_rewrite
  where is_instead and ev_type in ('2', '3') and ev_qual::text = '<>'  -- UPDATE, INSERT; without condition
)
select
  a.attrelid as relation,
  a.attname as name,
  coalesce(d.typname, t.typname) as type,
  coalesce(dn.nspname, tn.nspname) as type_schema,
  not (a.attnotnull or (t.typtype = 'd' and t.typnotnull)) as is_nullable,
  a.atthasdef or a.attidentity <> '' as has_default,
  a.attidentity = 'a' or a.attgenerated <> '' as is_computed,
  c.relkind = 'v' and (
    c.oid in (select relation from handled)
    or pg_catalog.pg_column_is_updatable(c.oid, a.attnum, false)) as is_updatable
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_catalog.pg_type t on t.oid = a.atttypid
join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
left join pg_catalog.pg_type d on t.typtype = 'd' and d.oid = t.typbasetype
left join pg_catalog.pg_namespace dn on dn.oid = d.typnamespace
where n.nspname = any (%(schemas)s)
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and (
    pg_catalog.pg_has_role('postgres', c.relowner, 'usage')
    or pg_catalog.has_column_privilege('postgres', c.oid, a.attnum, 'select, insert, update, references'))
order by a.attrelid, a.attnum
limit %(limit)s
