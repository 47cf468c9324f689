-- Keys of one column, as they were declared: not what partitioning made of them for each partition.
select
  k.conname as name,
  k.conrelid::bigint as relation,
  k.conkey[1] as number,
  a.attname as column,
  k.confrelid::bigint as referenced,
  k.confkey[1] as referenced_number,
  n.nspname as referenced_schema,
  r.relname as referenced_name,
  b.attname as referenced_column
from pg_constraint k
join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
join pg_class r on r.oid = k.confrelid
join pg_namespace n on n.oid = r.relnamespace
join pg_attribute b on b.attrelid = k.confrelid and b.attnum = k.confkey[1]
where k.contype = 'f'
  and k.conparentid = 0
  and cardinality(k.conkey) = 1
order by k.conrelid, k.conname
