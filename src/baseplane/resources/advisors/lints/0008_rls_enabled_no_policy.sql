-- Row security without a policy: nobody but those who bypass it sees a row.
select r.schema, r.name
from relations as r
where r.kind in ('r', 'p') and r.own and r.rls
  and not exists (select from pg_policy as p where p.polrelid = r.oid)
