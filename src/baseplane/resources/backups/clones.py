"""Projects that are made from the archive of another: rows, and all SQL on their table."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from baseplane.database import Connection, maybe, value
from baseplane.database.secrets import Keyring
from baseplane.resources.backups.choosing import Chosen


@dataclass(frozen=True, slots=True)
class Clone:
    """``secret`` is that of the platform's roles in the source, ``root_keys`` open its vault; both are sealed.

    ``last_commit`` is the time of the newest transaction that came along; None while that is not known, or without one.
    """

    project_ref: str
    source_ref: str
    backup: int
    moment: datetime | None
    point: int | None
    as_backed_up: bool
    secret: bytes | None
    root_keys: list[bytes]
    asked_at: datetime
    last_commit: datetime | None

    @property
    def is_made(self) -> bool:
        return self.secret is None

    @property
    def needs_newest_log(self) -> bool:
        return self.point is None and not self.as_backed_up


LABEL = "clone"
"""Of what is prepared: nothing else is in the home of a project that is being made."""

_CLONE: LiteralString = (
    "project_ref, source_ref, backup, moment, point, as_backed_up, secret, root_keys, asked_at, last_commit"
)


def purpose(ref: str) -> str:
    """Of both that are sealed."""
    return f"clones.secret:{ref}"


async def insert(
    db: Connection, keyring: Keyring, ref: str, chosen: Chosen, secret: str, root_keys: tuple[str, ...]
) -> None:
    await db.execute(
        "insert into clones (project_ref, source_ref, backup, moment, point, as_backed_up, secret, root_keys)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            ref,
            chosen.backup.project_ref,
            chosen.backup.id,
            chosen.moment,
            chosen.point,
            chosen.as_backed_up,
            keyring.seal(secret, purpose(ref)),
            [keyring.seal(key, purpose(ref)) for key in root_keys],
        ],
    )


async def find(db: Connection, ref: str) -> Clone | None:
    return await maybe(db, Clone, f"select {_CLONE} from clones where project_ref = %s", [ref])


async def are_under_way(db: Connection, source: str) -> bool:
    """Whether a project is being made from the archive of ``source``."""
    query: LiteralString = (
        "select exists (select from clones join projects on ref = project_ref"
        " where source_ref = %s and status = 'COMING_UP')"
    )
    return bool(await value(db, query, [source]))


async def record_last_commit(db: Connection, ref: str, at: datetime | None) -> None:
    await db.execute("update clones set last_commit = %s where project_ref = %s", [at, ref])


async def complete(db: Connection, ref: str) -> None:
    """Nothing of the source is needed any more."""
    await db.execute("update clones set secret = null, root_keys = '{}' where project_ref = %s", [ref])
