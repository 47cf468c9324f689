-- An extension whose parts are in schema public, and so in the API.
select n.name as schema, e.extname as name
from pg_extension as e
join namespaces as n on n.oid = e.extnamespace
where n.name = 'public'
