-- A row policy that calls auth.…() or current_setting() as such: once for each row. In a sub-select it is called once
-- for the statement. Policies on realtime are the tenant's too.
select p.schema, p.name, p.policy
from policies as p
cross join lateral (
  select regexp_replace(
    coalesce(p.qual, '') || ' ' || coalesce(p.with_check, ''),
    'SELECT [(]*(auth[.](uid|jwt|role|email)[(][)]|current_setting[(])', '', 'g'
  ) as text
) as rest
where p.rls and (p.own or p.schema = 'realtime')
  and rest.text ~ '(auth[.](uid|jwt|role|email)[(][)]|current_setting[(])'
