-- Policies that do nothing, since row security is off.
select p.schema, p.name, (array_agg(p.policy order by p.policy))[1:11] as policies
from policies as p
where p.own and not p.rls
group by p.schema, p.name
