"""Whether a project's database is reached by TLS alone: a row and all SQL on its table."""

from dataclasses import dataclass

from baseplane.database import Connection, maybe
from baseplane.resources.projects.status import SERVING


@dataclass(frozen=True, slots=True)
class Enforcement:
    """``applied`` is what a probe through the door has last shown to be so."""

    wanted: bool
    version: int
    applied: bool
    applied_version: int

    @property
    def is_applied(self) -> bool:
        return self.version == self.applied_version


NONE = Enforcement(wanted=False, version=0, applied=False, applied_version=0)


async def get(db: Connection, ref: str) -> Enforcement:
    query = "select wanted, version, applied, applied_version from ssl_enforcement where ref = %s"
    return await maybe(db, Enforcement, query, [ref]) or NONE


async def is_enforced(db: Connection, ref: str) -> bool:
    """Whether nobody comes in without TLS, as was last shown."""
    return (await get(db, ref)).applied


async def want(db: Connection, ref: str, *, enforced: bool) -> None:
    await db.execute(
        "insert into ssl_enforcement as e (ref, wanted) values (%s, %s) on conflict (ref) do update"
        " set wanted = excluded.wanted, version = e.version + 1",
        [ref, enforced],
    )


async def inherit(db: Connection, ref: str, source: str) -> None:
    """Let a new project want TLS if ``source`` does; it is applied once it was shown."""
    await db.execute(
        "insert into ssl_enforcement (ref, wanted) select %s, wanted from ssl_enforcement where ref = %s", [ref, source]
    )


async def unapplied(db: Connection) -> list[str]:
    """Only projects that serve: where nobody gets in, nothing can be shown."""
    cursor = await db.execute(
        "select e.ref from ssl_enforcement e join projects using (ref)"
        " where applied_version <> version and status = any(%s)",
        [list(SERVING)],
    )
    return [ref for (ref,) in await cursor.fetchall()]


async def mark_applied(db: Connection, ref: str, version: int) -> None:
    await db.execute(
        "update ssl_enforcement set applied = wanted, applied_version = version where ref = %s and version = %s",
        [ref, version],
    )
