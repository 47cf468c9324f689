-- A view, or a view on such a view, through which the API's roles can read auth.users.
with recursive users as (
  select r.oid, r.rls, r.readers from relations as r where r.schema = 'auth' and r.name = 'users'
),
dependents (oid, is_direct) as (
  select w.ev_class, true
  from users as u
  join pg_depend as d on d.refclassid = 'pg_class'::regclass and d.refobjid = u.oid
  join pg_rewrite as w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
  where w.ev_class <> u.oid
  union
  select w.ev_class, false
  from dependents as v
  join pg_depend as d on d.refclassid = 'pg_class'::regclass and d.refobjid = v.oid
  join pg_rewrite as w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
  where w.ev_class <> v.oid
)
select distinct r.schema, r.name, r.readers as exposed_to
from dependents as v
join relations as r on r.oid = v.oid
cross join users as u
where r.kind in ('v', 'm') and r.exposed and r.readers <> '{}'
  -- A view that asks for its caller's rights shows what the caller may read himself.
  and (not r.is_invoker or (v.is_direct and not u.rls and u.readers && r.readers))
