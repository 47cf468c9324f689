select extname as extension_name
from pg_extension
where extname <> all(%(there)s)
order by 1
