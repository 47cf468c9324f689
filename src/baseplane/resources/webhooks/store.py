"""Which projects have webhooks."""

from dataclasses import dataclass

from baseplane.database import Connection, rows
from baseplane.database.secrets import Keyring
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import SERVING
from baseplane.resources.projects.store import Ref


@dataclass(frozen=True, slots=True)
class _Enabled:
    project_ref: Ref


async def insert(db: Connection, ref: Ref) -> None:
    """Write down that the project has them. A second time changes nothing."""
    await db.execute("insert into webhooks (project_ref) values (%s) on conflict do nothing", [ref])


async def inherit(db: Connection, ref: str, source: str) -> None:
    """Let a new project have them if ``source`` does."""
    await db.execute(
        "insert into webhooks (project_ref) select %s from webhooks where project_ref = %s on conflict do nothing",
        [ref, source],
    )


async def list_serving(db: Connection) -> set[Ref]:
    """The projects that have webhooks and whose database is meant to answer now; one that sleeps sends when it wakes."""
    found = await rows(
        db,
        _Enabled,
        "select project_ref from webhooks join projects on ref = project_ref where status = any(%s) and not asleep",
        [list(SERVING)],
    )
    return {enabled.project_ref for enabled in found}


async def read_secret(db: Connection, keyring: Keyring, ref: Ref) -> str:
    """The password of the platform's own roles in the project's database."""
    return (await projects.read_secrets(db, keyring, ref)).secret
