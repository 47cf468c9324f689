-- Indexes of one table that differ in nothing but their names.
select
  r.schema, r.name,
  (array_agg(c.relname order by c.relname))[1:11] as indexes,
  left(array_agg(c.relname order by c.relname)::text, 1000) as key
from pg_index as i
join relations as r on r.oid = i.indrelid
join pg_class as c on c.oid = i.indexrelid
where r.own and r.kind in ('r', 'p', 'm')
group by
  r.oid, r.schema, r.name, c.relam, i.indisunique, i.indnullsnotdistinct, i.indimmediate, i.indnkeyatts,
  i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text,
  pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid)
having count(*) > 1
