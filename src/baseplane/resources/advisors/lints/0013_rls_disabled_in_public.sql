-- A table in the API that has no row security: whoever has the public key can use every row.
select r.schema, r.name
from relations as r
where r.kind in ('r', 'p') and r.own and r.exposed and not r.rls and r.users <> '{}'
