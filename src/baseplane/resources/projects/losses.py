"""Projects whose data directory is gone: what there is of them is in their archives, and all SQL on that."""

from collections.abc import Collection
from typing import LiteralString

from baseplane.database import Connection, rows, value
from baseplane.resources.projects.store import PROJECT, Project, Ref

_AWAITED: LiteralString = "select " + PROJECT + " from projects p where lost and status = 'RESTORING'"


async def lose_all(db: Connection, cause: str, *, but: Collection[Ref]) -> None:
    """Every data directory is gone with its machine: what served is to be brought back, what was paused stays so.

    Not those that never came up or are being deleted, unless they are among ``but``: these have more in the archive.
    """
    await db.execute(
        "update projects set lost = true, asleep = false, status_since = now(),"
        " status = case when status in ('INACTIVE', 'PAUSING', 'PAUSE_FAILED') then 'INACTIVE' else 'RESTORING' end,"
        " cause = case when status in ('INACTIVE', 'PAUSING', 'PAUSE_FAILED') then null else %(cause)s end"
        " where status not in ('REMOVED', 'GOING_DOWN', 'UNKNOWN')"
        " and (status not in ('COMING_UP', 'INIT_FAILED') or ref = any(%(but)s))",
        {"cause": cause, "but": list(but)},
    )


async def lose(db: Connection, ref: Ref) -> None:
    """Its data directory is not there: what its archive holds is to be brought back."""
    await db.execute("update projects set lost = true where ref = %s", [ref])


async def found_again(db: Connection, ref: Ref) -> None:
    """It has a data directory again."""
    await db.execute("update projects set lost = false where ref = %s", [ref])


async def is_lost(db: Connection, ref: Ref) -> bool:
    return bool(await value(db, "select lost from projects where ref = %s", [ref]))


async def list_awaited(db: Connection) -> list[Project]:
    """Those that are to be brought back, oldest first."""
    return await rows(db, Project, _AWAITED + " order by p.id")


async def list_lost(db: Connection) -> list[Project]:
    """Those of them that nothing is being done to."""
    idle: LiteralString = " and not exists (select from runs where subject = p.ref and finished_at is null)"
    return await rows(db, Project, _AWAITED + idle + " order by p.id")
