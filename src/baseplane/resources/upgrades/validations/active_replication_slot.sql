-- From 17 on logical slots come along, if they can still be read from.
select slot_name
from pg_replication_slots
where not temporary
  and (slot_type = 'physical' or wal_status = 'lost' or current_setting('server_version_num')::int < 170000)
order by 1
