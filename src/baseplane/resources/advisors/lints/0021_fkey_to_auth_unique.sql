-- A foreign key to a unique index of schema auth that is not the primary key: the auth server's migrations may drop it.
select r.schema, r.name, k.conname as fkey_name
from pg_constraint as k
join relations as r on r.oid = k.conrelid
join relations as target on target.oid = k.confrelid
join pg_index as i on i.indexrelid = k.conindid
where k.contype = 'f' and k.conparentid = 0 and r.own and target.schema = 'auth' and not i.indisprimary
