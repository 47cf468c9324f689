-- A function that looks names up where its caller says. Bodies in SQL's own form are bound when they are made.
select n.name as schema, p.proname as name, md5(p.prosrc) as body
from pg_proc as p
join namespaces as n on n.oid = p.pronamespace
where n.own and p.prokind in ('f', 'p') and p.prosqlbody is null
  and not exists (select from extension_parts as e where e.classid = 'pg_proc'::regclass and e.objid = p.oid)
  and not exists (select from unnest(p.proconfig) as s(setting) where starts_with(s.setting, 'search_path='))
