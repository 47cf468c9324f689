-- What a request of service_role can call. Arguments without names cannot be given, save a single one that takes the
-- whole body. Types in the search path of such a request are called without their schema.
with visible as (
  select distinct on (t.typname) t.oid
  from pg_type t
  join unnest(array['pg_catalog', %(schema)s] || %(extra)s::text[]) with ordinality as path (schema, place)
    on t.typnamespace = to_regnamespace(quote_ident(schema))
  order by t.typname, place
)
select
  p.proname as name,
  obj_description(p.oid, 'pg_proc') as comment,
  coalesce(i.arguments, '[]') as arguments
from pg_proc p
cross join lateral (
  select
    json_agg(json_build_object(
      'name', coalesce(p.proargnames[place], ''),
      'type', case
        when element.oid in (select oid from visible)
        then regexp_replace(format_type(t.oid, null), '^(("[^"]*")+|[^".]*)\.', '')
        else format_type(t.oid, null) end,
      'is_required', number <= p.pronargs - p.pronargdefaults,
      'is_variadic', coalesce(p.proargmodes[place] = 'v', false)
    ) order by number) as arguments,
    count(*) filter (where coalesce(p.proargnames[place], '') = '') as unnamed,
    count(*) as inputs,
    min(t.oid) as first_type
  from (
    select type, place, row_number() over (order by place) as number
    from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality as a (type, place)
    where coalesce(p.proargmodes[place] in ('i', 'b', 'v'), true)
  ) as a
  join pg_type t on t.oid = a.type
  join pg_type element on element.oid = case when t.typsubscript = 'array_subscript_handler'::regproc
    then t.typelem else t.oid end
) as i
where p.pronamespace = %(schema)s::regnamespace
  and p.prokind = 'f'
  and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  and has_function_privilege('service_role', p.oid, 'execute')
  and (i.unnamed = 0 or i.inputs = 1 and i.first_type in (
    'bytea'::regtype, 'json'::regtype, 'jsonb'::regtype, 'text'::regtype, 'xml'::regtype))
order by p.proname, p.oid
