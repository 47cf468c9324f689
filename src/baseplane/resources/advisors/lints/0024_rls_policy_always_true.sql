-- A permissive policy that lets the API's roles write any row. Reading everything is often meant; without an expression
-- a policy permits nothing.
select
  p.schema, p.name, p.policy,
  case p.command when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' else 'ALL' end as command
from policies as p
where p.own and p.rls and p.is_permissive and p.command <> 'r'
  and (0 = any (p.roles) or exists (select from api_roles as r where r.oid = any (p.roles)))
  and (
    (p.command <> 'a' and p.qual in ('true', '(1 = 1)'))
    or (p.command <> 'd' and p.with_check in ('true', '(1 = 1)'))
  )
