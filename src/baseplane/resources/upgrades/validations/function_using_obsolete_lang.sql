select p.pronamespace::regnamespace::text as schema_name, p.proname as function_name, l.lanname as lang_name
from pg_proc p
join pg_language l on l.oid = p.prolang and l.lanname not in ('internal', 'c', 'sql')
left join pg_depend d on d.classid = 'pg_language'::regclass and d.objid = l.oid and d.deptype = 'e'
left join pg_extension e on e.oid = d.refobjid
where coalesce(e.extname, l.lanname) <> all(%(there)s)
order by 1, 2
