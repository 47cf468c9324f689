-- Made before 15; such a table is emptied by a crash, and its sequence is not.
select t.relnamespace::regnamespace::text as schema_name, t.relname as table_name, s.relname as sequence_name
from pg_class t
join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid and d.deptype in ('a', 'i')
join pg_class s on d.classid = 'pg_class'::regclass and s.oid = d.objid and s.relkind = 'S'
where t.relkind = 'r' and t.relpersistence = 'u' and s.relpersistence = 'p'
order by 1, 2, 3
