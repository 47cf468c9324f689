"""Read replicas: a row and all SQL on their table. Everything that names a project's databases reads it.

Only what is done to replicas (slice ``replicas``) and what takes them along (pause, delete) writes a status.
"""

import secrets
import string
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import LiteralString

from baseplane.database import Connection, maybe, one, rows, value
from baseplane.database.secrets import Keyring
from baseplane.drivers.cluster import Link, StandbySpec
from baseplane.resources.projects import store
from baseplane.resources.projects.status import SERVING


class ReplicaStatus(StrEnum):
    INIT_READ_REPLICA = "INIT_READ_REPLICA"
    INIT_READ_REPLICA_FAILED = "INIT_READ_REPLICA_FAILED"
    ACTIVE_HEALTHY = "ACTIVE_HEALTHY"
    ACTIVE_UNHEALTHY = "ACTIVE_UNHEALTHY"
    RESTARTING = "RESTARTING"
    GOING_DOWN = "GOING_DOWN"
    UNKNOWN = "UNKNOWN"


UP = frozenset({ReplicaStatus.ACTIVE_HEALTHY, ReplicaStatus.ACTIVE_UNHEALTHY, ReplicaStatus.RESTARTING})
"""Its cluster is meant to run."""
OPEN = UP | {ReplicaStatus.INIT_READ_REPLICA}
"""The ingress lets connections through; what is called healthy is probed there first."""


@dataclass(frozen=True, slots=True)
class Replica:
    """``cause`` says why it is in a failed or unhealthy state; ``streamed_at`` when it was last seen to follow.

    ``changed_at`` is when what it has to follow last changed, which is not measured before.
    """

    identifier: str
    ref: str
    region: str
    status: ReplicaStatus
    cause: str | None
    rebuilt_at: datetime | None
    bytes_behind: int | None
    seconds_behind: float | None
    measured_at: datetime | None
    streamed_at: datetime | None
    changed_at: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", ReplicaStatus(self.status))


_REPLICA: LiteralString = (
    "r.identifier, r.ref, r.region, r.status, r.cause, r.rebuilt_at, r.bytes_behind, r.seconds_behind, r.measured_at,"
    " r.streamed_at, r.changed_at"
)
_SELECT: LiteralString = "select " + _REPLICA + " from replicas r"


async def insert(db: Connection, ref: str, region: str) -> Replica:
    """Named as the hosted platform names them: after its project and its region."""
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(5))
    query: LiteralString = "insert into replicas as r (identifier, ref, region) values (%s, %s, %s) returning "
    return await one(db, Replica, query + _REPLICA, [f"{ref}-rr-{region}-{letters}", ref, region], missing="")


async def count(db: Connection, ref: str) -> int:
    """Those of a project; holds the project, so that nobody adds one meanwhile."""
    await db.execute("select from projects where ref = %s for update", [ref])
    number: int = await value(db, "select count(*) from replicas where ref = %s", [ref])
    return number


async def get(db: Connection, identifier: str) -> Replica:
    """Raises NotFound."""
    return await one(db, Replica, _SELECT + " where identifier = %s", [identifier], missing="Read replica not found")


async def find(db: Connection, ref: str, identifier: str) -> Replica | None:
    return await maybe(db, Replica, _SELECT + " where ref = %s and identifier = %s", [ref, identifier])


async def list_of(db: Connection, ref: str) -> list[Replica]:
    return await rows(db, Replica, _SELECT + " where ref = %s order by created_at, identifier", [ref])


async def by_project(db: Connection, refs: Collection[str]) -> Mapping[str, Sequence[Replica]]:
    found: defaultdict[str, list[Replica]] = defaultdict(list)
    for replica in await rows(
        db, Replica, _SELECT + " where ref = any(%s) order by created_at, identifier", [list(refs)]
    ):
        found[replica.ref].append(replica)
    return found


async def list_up(db: Connection) -> list[Replica]:
    """Those whose cluster is meant to run, of projects that serve."""
    query: LiteralString = _SELECT + " join projects p using (ref) where r.status = any(%s) and p.status = any(%s)"
    return await rows(db, Replica, query, [list(UP), list(SERVING)])


async def standby_spec(db: Connection, keyring: Keyring, identifier: str) -> StandbySpec:
    """What its cluster should be. Raises NotFound."""
    replica = await get(db, identifier)
    return StandbySpec(identifier, await store.cluster_spec(db, keyring, replica.ref))


async def settle(
    db: Connection,
    identifier: str,
    to: ReplicaStatus,
    *,
    only_from: Collection[ReplicaStatus],
    cause: str | None = None,
) -> bool:
    """Write the status that was observed, unless it has moved on meanwhile; tells whether it was written."""
    cursor = await db.execute(
        "update replicas set status = %s, cause = %s where identifier = %s and status = any(%s)",
        [to, cause, identifier, list(only_from)],
    )
    return cursor.rowcount == 1


async def record_link(db: Connection, identifier: str, link: Link, measured_at: datetime | None = None) -> None:
    """``measured_at``, for a whole measurement, is the database's time before it began."""
    await db.execute(
        "update replicas set bytes_behind = %s, seconds_behind = %s, measured_at = coalesce(%s, measured_at),"
        " streamed_at = case when %s then now() else streamed_at end where identifier = %s",
        [link.bytes, link.seconds, measured_at, link.streams, identifier],
    )


async def look_again(db: Connection, ref: str) -> None:
    """Have those of the project measured at once, as when its settings or its size have changed: they follow these."""
    await db.execute("update replicas set changed_at = now() where ref = %s", [ref])


async def record_rebuild(db: Connection, identifier: str, rest: timedelta) -> bool:
    """Whether it may be made anew now: not when it was within ``rest`` already."""
    cursor = await db.execute(
        "update replicas set rebuilt_at = now(), copies = 0 where identifier = %s"
        " and (rebuilt_at is null or rebuilt_at < now() - %s::interval)",
        [identifier, rest],
    )
    return cursor.rowcount == 1


async def count_copies(db: Connection, identifier: str) -> int:
    """How many copies have been broken off, with the one that just was."""
    query = "update replicas set copies = copies + 1 where identifier = %s returning copies"
    number: int = await value(db, query, [identifier])
    return number


async def lose_all(db: Connection, cause: str) -> None:
    """Every copy is gone with its machine, and is made anew once its project serves."""
    await db.execute(
        "update replicas set status = 'RESTARTING', cause = %s, rebuilt_at = null, copies = 0, bytes_behind = null,"
        " seconds_behind = null, measured_at = null, streamed_at = null where status <> 'GOING_DOWN'",
        [cause],
    )


async def list_leaving(db: Connection) -> list[Replica]:
    """Those that are being removed."""
    return await rows(db, Replica, _SELECT + " where r.status = 'GOING_DOWN'")


async def delete(db: Connection, identifier: str) -> None:
    await db.execute("delete from replicas where identifier = %s", [identifier])
