"""Replication slots of read replicas at their primary. Each is bounded there by max_slot_wal_keep_size."""

import os
import shutil
from pathlib import Path

import psycopg

from baseplane.drivers.cluster import Slot, StandbyRefused
from baseplane.drivers.cluster.connections import Connection
from baseplane.errors import Unavailable


async def reserve(db: Connection, slot: str) -> None:
    """Keep what is written from now on. Raises StandbyRefused when the primary has no room for one more."""
    status, _, _ = await look(db, slot)
    if status is Slot.LOST:
        await drop(db, slot)
    if status is not Slot.KEPT:
        try:
            await db.execute("select pg_create_physical_replication_slot(%s, true)", [slot])
        except psycopg.errors.ConfigurationLimitExceeded as error:
            raise StandbyRefused(
                "All replication slots of the project are in use: drop one, or raise max_replication_slots."
            ) from error


async def look(db: Connection, slot: str) -> tuple[Slot, bool, str]:
    """How the slot is, whether somebody streams from it, and up to where write-ahead log was written. Raises Unavailable."""
    cursor = await db.execute(
        "select s.wal_status, coalesce(r.state = 'streaming', false), pg_current_wal_lsn()::text"
        " from (values (1)) one left join pg_replication_slots s on s.slot_name = %s"
        " left join pg_stat_replication r on r.pid = s.active_pid",
        [slot],
    )
    status, streams, written = await cursor.fetchone() or (None, False, "0/0")
    return {None: Slot.MISSING, "lost": Slot.LOST}.get(status, Slot.KEPT), streams, written


async def drop(db: Connection, slot: str) -> None:
    """End who streams from it, and let go of what it keeps. Raises Unavailable when it is taken again at once."""
    try:
        await db.execute(
            "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots"
            " where slot_name = %s and active_pid is not null",
            [slot],
        )
        await db.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s", [slot]
        )
    except psycopg.errors.ObjectInUse as error:
        raise Unavailable(f"The replication slot {slot} is in use.") from error


def drop_at_rest(data: Path, slot: str) -> None:
    """The same in a cluster that is stopped, as Postgres itself begins it: its next start deletes what is called so."""
    directory = data / "pg_replslot"
    doomed = directory / f"{slot}.tmp"
    if (directory / slot).exists():
        shutil.rmtree(doomed, ignore_errors=True)
        (directory / slot).rename(doomed)
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
