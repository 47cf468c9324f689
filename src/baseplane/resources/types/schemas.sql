-- The schemas that are asked for and that role postgres may enter.
select nspname as name
from pg_catalog.pg_namespace
where nspname = any (%(schemas)s)
  and not pg_catalog.starts_with(nspname, 'pg_')
  and (
    pg_catalog.pg_has_role('postgres', nspowner, 'usage')
    or pg_catalog.has_schema_privilege('postgres', oid, 'create, usage'))
