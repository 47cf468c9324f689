-- An extension that is older inside the database than what the engine would install now.
select n.name as schema, e.extname as name, e.extversion as installed, a.default_version as available
from pg_extension as e
join namespaces as n on n.oid = e.extnamespace
join pg_available_extensions as a on a.name = e.extname
where a.default_version <> e.extversion
