select w.fdwname as fdw_name, p.proname as fdw_handler_name
from pg_foreign_data_wrapper w
join pg_proc p on p.oid = w.fdwhandler
join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
join pg_extension e on e.oid = d.refobjid
where e.extname <> all(%(there)s)
order by 1
