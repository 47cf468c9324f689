select array_agg(pg_describe_object(o.classid, o.objid, o.objsubid) order by 1) as dependents
from pg_extension e
join pg_depend m on m.refclassid = 'pg_extension'::regclass and m.refobjid = e.oid and m.deptype = 'e'
join pg_depend o on o.refclassid = m.classid and o.refobjid = m.objid and o.deptype = 'n'
where e.extname = 'pg_cron' and 'pg_cron' <> all(%(there)s)
having count(*) > 0
