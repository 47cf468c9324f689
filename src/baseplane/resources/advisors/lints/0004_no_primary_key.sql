-- A table without a primary key. A partition has that of its table.
select r.schema, r.name
from relations as r
where r.kind in ('r', 'p') and r.own and not r.is_partition
  and not exists (select from pg_index as i where i.indrelid = r.oid and i.indisprimary)
