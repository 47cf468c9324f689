-- A column of a reg* type that pg_upgrade refuses, since the number in it means another object afterwards.
select r.schema, r.name, a.attname as column, t.typname as column_type
from pg_attribute as a
join relations as r on r.oid = a.attrelid
join pg_type as t on t.oid = a.atttypid
where r.kind in ('r', 'p', 'm') and r.own and a.attnum > 0 and not a.attisdropped
  and t.oid = any (array[
    'regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator', 'regproc', 'regprocedure'
  ]::regtype[])
