-- A table of which most is dead space: at least 70 % of its pages, and 20 MiB, beyond what its rows would fill.
-- An estimate, from statistics of the last VACUUM or ANALYZE. The columns' widths are known only of tables that
-- supabase_read_only_user may read; tables of roles that the tenant made without granting it SELECT are not seen.
with rows as (
  -- In bytes: a line pointer of 4, a header of 24, 4 for alignment on average, and what is not null.
  select s.schemaname, s.tablename, 32 + sum((1 - s.null_frac) * s.avg_width) as width
  from pg_stats as s
  where not s.inherited
  group by s.schemaname, s.tablename
)
select r.schema, r.name, pg_size_pretty(((r.pages - ideal.pages) * block.size)::bigint) as waste
from relations as r
join rows on rows.schemaname = r.schema and rows.tablename = r.name
cross join lateral (select current_setting('block_size')::float8 as size) as block
cross join lateral (select ceil(r.tuples * rows.width / (block.size - 24)) as pages) as ideal
where r.kind = 'r' and r.own and r.tuples >= 0
  and r.pages - ideal.pages > 0.7 * r.pages
  and (r.pages - ideal.pages) * block.size > 20 * 1024 * 1024
