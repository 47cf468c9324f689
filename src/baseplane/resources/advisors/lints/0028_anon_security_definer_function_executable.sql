-- A function that anon can call and that acts with its owner's rights.
select f.schema, f.name, f.arguments from definer_functions as f where 'anon' = any (f.callers)
