select
  k.conrelid::bigint as relation,
  k.conkey as numbers,
  array(
    select a.attname from unnest(k.conkey) with ordinality as c (number, place)
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = c.number order by place
  ) as names
from pg_constraint k
where k.contype = 'p'
order by k.conrelid
