-- A view in the API that reads with the rights of its owner, whatever row policies say of its caller.
select r.schema, r.name
from relations as r
where r.kind = 'v' and r.own and r.exposed and r.readers <> '{}' and not r.is_invoker
