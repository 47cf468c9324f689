-- A public bucket whose files the API's roles may list. Asked only when storage.buckets is there (see run.py).
select 'storage' as schema, b.name, b.id as bucket, (array_agg(p.policy order by p.policy))[1:11] as policies
from storage.buckets as b
join policies as p on p.schema = 'storage' and p.name = 'objects' and p.is_permissive and p.command in ('r', '*')
where b.public
  and (0 = any (p.roles) or exists (select from api_roles as r where r.oid = any (p.roles)))
  and p.qual in ('true', '(1 = 1)', '(bucket_id = ' || quote_literal(b.id) || '::text)')
group by b.id, b.name
