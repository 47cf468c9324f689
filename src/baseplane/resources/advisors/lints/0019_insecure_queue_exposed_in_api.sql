-- A queue that the API serves, without row security.
select r.schema, r.name
from relations as r
where r.kind in ('r', 'p') and r.schema = 'pgmq' and starts_with(r.name, 'q_') and not r.rls and r.users <> '{}'
  and exists (select from exposed_schemas as e where e.name = 'pgmq_public')
