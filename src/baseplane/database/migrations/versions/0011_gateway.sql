-- Who is let in depends on the project's state, too: a paused one takes no requests, a sleeping one is woken first.
drop trigger announce_keys on projects;
create trigger announce_keys after update of legacy_keys, jwt_secret, password, status, asleep on projects for each row
    when (old.legacy_keys is distinct from new.legacy_keys or old.jwt_secret is distinct from new.jwt_secret
        or old.password is distinct from new.password or old.status is distinct from new.status
        or old.asleep is distinct from new.asleep)
    execute function announce_project();
