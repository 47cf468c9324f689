"""Projects that serve what a restore was to replace: their status tells of the restore, and not that they should run."""

from typing import LiteralString

from baseplane.database import Connection, value

# One that is brought back again after that was in vain is as it was before the first time.
_SERVED: LiteralString = (
    "coalesce((select r.status_before in ('ACTIVE_HEALTHY', 'ACTIVE_UNHEALTHY') and r.state <> 'done' from recoveries r"
    " where r.project_ref = p.ref and r.status_before <> 'RESTORE_FAILED' order by r.id desc limit 1), false)"
)


async def served_before(db: Connection, ref: str) -> bool:
    """Whether the project served before it was to be brought back."""
    return bool(await value(db, "select " + _SERVED + " from projects p where ref = %s", [ref]))


async def left_serving(db: Connection) -> list[str]:
    """The refs of those that serve on because bringing them back failed."""
    cursor = await db.execute("select ref from projects p where status = 'RESTORE_FAILED' and " + _SERVED)
    return [ref for (ref,) in await cursor.fetchall()]
