-- A foreign table in the API: row security does not reach it.
select r.schema, r.name
from relations as r
where r.kind = 'f' and r.own and r.exposed and r.readers <> '{}'
