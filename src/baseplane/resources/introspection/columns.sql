-- A domain over a type of Postgres' own is called by that type, and a domain's default takes the place of the column's.
-- A length is kept in pg_attribute.atttypmod with 4 added, for bits without.
select
  a.attrelid::bigint as relation,
  a.attname as name,
  col_description(a.attrelid, a.attnum) as comment,
  case
    when t.typtype = 'd' and b.typnamespace = 'pg_catalog'::regnamespace then format_type(b.oid, null)
    when t.typtype <> 'd' and t.typnamespace = 'pg_catalog'::regnamespace then format_type(t.oid, null)
    else format_type(t.oid, a.atttypmod)
  end as type,
  case
    when t.typtype = 'd' then pg_get_expr(t.typdefaultbin, 0)
    when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid)
  end as default,
  not (a.attnotnull or t.typtype = 'd' and t.typnotnull) as is_nullable,
  case
    when m.typmod = -1 then null
    when coalesce(b.oid, t.oid) in ('varchar'::regtype, 'bpchar'::regtype) then m.typmod - 4
    when coalesce(b.oid, t.oid) in ('bit'::regtype, 'varbit'::regtype) then m.typmod
  end as max_length,
  array(
    select e.enumlabel from pg_enum e where e.enumtypid = coalesce(b.oid, t.oid) order by e.enumsortorder
  ) as labels
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_type t on t.oid = a.atttypid
left join pg_type b on t.typtype = 'd' and b.oid = t.typbasetype
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
cross join lateral (select case when t.typtype = 'd' then t.typtypmod else a.atttypmod end) as m (typmod)
where c.relnamespace = %(schema)s::regnamespace
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and not c.relispartition
  and a.attnum > 0
  and not a.attisdropped
order by a.attrelid, a.attnum
