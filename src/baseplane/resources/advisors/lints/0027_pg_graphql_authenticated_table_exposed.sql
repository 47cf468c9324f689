-- What pg_graphql tells authenticated of: every table and view that the role may read.
select r.schema, r.name, case when r.kind in ('v', 'm') then 'view' else 'table' end as type
from relations as r
where r.own and 'authenticated' = any (r.readers) and exists (select from pg_extension as e where e.extname = 'pg_graphql')
