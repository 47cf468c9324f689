"""Making the record agree with the archive, which may be some seconds older or newer than the database that came back."""

from collections.abc import Sequence
from datetime import timedelta

from baseplane.database import Connection
from baseplane.drivers.archive import BaseBackup


async def adopt(db: Connection, ref: str, found: Sequence[BaseBackup]) -> None:
    """The project's backups are those that were ``found`` in its archive, oldest first, and no others.

    What the record does not know is put into it: it could not be brought back otherwise, and would be cleared away.
    The root key of today is kept with it, as the archive does not say which was in use.
    """
    for backup in found:
        await db.execute(
            "insert into archives (project_ref, generation, began_at) values (%s, %s, %s) on conflict do nothing",
            [ref, backup.id.generation, backup.began_at],
        )
        await db.execute(
            "insert into backups (id, project_ref, generation, kind, status, inserted_at, finished_at, first_segment,"
            " size, stored, root_key) overriding system value"
            " select %s, ref, %s, %s, 'COMPLETED', %s, %s, %s, %s, %s, root_key from projects where ref = %s"
            " on conflict (id) do update set status = 'COMPLETED', cause = null, kind = excluded.kind,"
            "  finished_at = excluded.finished_at, first_segment = excluded.first_segment, size = excluded.size,"
            "  stored = excluded.stored, root_key = coalesce(backups.root_key, excluded.root_key)"
            "  where backups.project_ref = excluded.project_ref and backups.status <> 'COMPLETED'",
            [
                *(int(backup.id.name), backup.id.generation, backup.kind, backup.began_at, backup.ended_at),
                *(backup.first_segment, backup.size, backup.stored, ref),
            ],
        )
    await db.execute(
        "update archives set ended_at = now() where project_ref = %s and generation <> %s and ended_at is null",
        [ref, found[-1].id.generation if found else ""],
    )
    await db.execute(
        "update backups set status = 'REMOVED' where project_ref = %s and status = 'COMPLETED' and id <> all(%s)",
        [ref, [int(backup.id.name) for backup in found]],
    )


async def renew_ids(db: Connection) -> None:
    """After ``adopt``: no backup gets a number that one in the archive has."""
    await db.execute("select setval(pg_get_serial_sequence('backups', 'id'), max(id)) from backups having max(id) > 0")


async def forget_replaced_data(db: Connection) -> None:
    """What restores had put aside is gone with its machine."""
    await db.execute("update recoveries set keep_until = null where keep_until > now() - %s", [timedelta(days=3650)])
