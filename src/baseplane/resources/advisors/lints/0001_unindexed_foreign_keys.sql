-- A foreign key whose columns do not lead any index: a delete of the row it points at reads the whole table.
select r.schema, r.name, k.conname as fkey_name, k.conkey as fkey_columns
from pg_constraint as k
join relations as r on r.oid = k.conrelid
where k.contype = 'f' and k.conparentid = 0 and r.own
  and not exists (
    select
    from pg_index as i
    join pg_class as c on c.oid = i.indexrelid
    join pg_am as a on a.oid = c.relam
    where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null and a.amname in ('btree', 'hash')
      and i.indnkeyatts >= cardinality(k.conkey)
      and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey  -- an int2vector counts from 0
  )
