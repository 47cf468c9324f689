-- Sealed. Until everything is encrypted with a new key, those before it open what they encrypted.
alter table projects
    add column root_key bytea not null default '',
    add column retiring_root_keys bytea[] not null default '{}';
alter table projects alter column root_key drop default;
