-- An index that no scan has used since statistics are counted, and that guards nothing.
select r.schema, r.name, c.relname as index
from pg_index as i
join relations as r on r.oid = i.indrelid
join pg_class as c on c.oid = i.indexrelid
where c.relkind = 'i' and r.own
  and not i.indisunique and not i.indisprimary and not i.indisexclusion
  and pg_stat_get_numscans(i.indexrelid) = 0
