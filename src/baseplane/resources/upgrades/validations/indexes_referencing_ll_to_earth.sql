-- From 17 on, names are looked up in pg_catalog alone while an index is maintained, and this function needs more.
select schemaname as schema_name, tablename as table_name, indexname as index_name
from pg_indexes
where indexdef like '%%ll_to_earth%%'
  and %(engine)s >= 17 and current_setting('server_version_num')::int < 170000
order by 1, 2, 3
