-- Several permissive policies for the same role and action: each of them is run for each row. A policy for everybody
-- counts for the roles that may use the table.
select p.schema, p.name, g.rolname as role, a.action, (array_agg(p.policy order by p.policy))[1:11] as policies
from policies as p
cross join lateral unnest(
  case p.command
    when 'r' then array['SELECT']
    when 'a' then array['INSERT']
    when 'w' then array['UPDATE']
    when 'd' then array['DELETE']
    else array['SELECT', 'INSERT', 'UPDATE', 'DELETE']
  end
) as a(action)
join pg_roles as g
  on g.oid = any (p.roles) or (0 = any (p.roles) and has_table_privilege(g.oid, p.oid, a.action))
where p.is_permissive and p.rls and p.own and g.oid <> p.owner
  and not g.rolbypassrls and not g.rolsuper and not starts_with(g.rolname, 'pg_')
group by p.schema, p.name, g.rolname, a.action
having count(*) > 1
