-- Foreign keys as they were declared; what partitioning made of them for each partition is left out. One is one-to-one
-- if its columns are those of a primary key or unique constraint. The comparison with that constraint's columns in the
-- order of the table, and the columns that are null where the name of the schema needs quotes (then is quote_ident not
-- the name), are defects of the generator whose output we give.
select
  k.oid,
  k.conname as name,
  n.nspname as schema,
  t.relname as relation,
  k.conrelid as relation_oid,
  k.conkey as numbers,
  case when seen then columns end as columns,
  rn.nspname as referenced_schema,
  r.relname as referenced_relation,
  k.confrelid as referenced_oid,
  k.confkey as referenced_numbers,
  case when seen then referenced end as referenced_columns,
  seen and exists (
    select from pg_catalog.pg_constraint u
    where u.conrelid = k.conrelid and u.contype in ('p', 'u')
      and columns = array(
        select a.attname from pg_catalog.pg_attribute a
        where a.attrelid = u.conrelid and a.attnum = any (u.conkey) order by a.attnum)
  ) as is_one_to_one
from pg_catalog.pg_constraint k
join pg_catalog.pg_namespace n on n.oid = k.connamespace
join pg_catalog.pg_class t on t.oid = k.conrelid
join pg_catalog.pg_class r on r.oid = k.confrelid
join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
cross join lateral (
  select
    pg_catalog.quote_ident(n.nspname) = any (%(schemas)s) as seen,
    array_agg(a.attname order by ord) as columns,
    array_agg(b.attname order by ord) as referenced
  from unnest(k.conkey, k.confkey) with ordinality as pair (col, ref, ord)
  join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = col
  join pg_catalog.pg_attribute b on b.attrelid = k.confrelid and b.attnum = ref
) as pairs
where k.contype = 'f' and k.conparentid = 0 and n.nspname = any (%(schemas)s)
order by k.oid
limit %(limit)s
