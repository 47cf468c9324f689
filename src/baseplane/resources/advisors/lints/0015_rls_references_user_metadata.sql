-- A row policy that trusts user_metadata of the token, which every user writes for himself.
select p.schema, p.name, p.policy
from policies as p
cross join lateral (select coalesce(p.qual, '') || ' ' || coalesce(p.with_check, '') as text) as e
where p.own and strpos(e.text, 'user_metadata') > 0
  and (strpos(e.text, 'auth.jwt()') > 0 or strpos(e.text, 'request.jwt.claim') > 0)
