"""Changes of settings that are being tried: at most one a project, from the request to the end of its run."""

from dataclasses import dataclass, replace

from psycopg.types.json import Jsonb

from baseplane.database import Connection, maybe
from baseplane.database.secrets import Keyring
from baseplane.drivers.cluster import ClusterSpec
from baseplane.errors import Conflict
from baseplane.resources.projects import store
from baseplane.resources.projects.settings import Overrides, in_force
from baseplane.resources.projects.status import require_serving


@dataclass(frozen=True, slots=True)
class Change:
    """``restart`` allows one where a setting needs it."""

    settings: Overrides
    restart: bool


async def insert(db: Connection, ref: str, change: Change) -> None:
    """Write down what is to be tried. Raises Conflict when a change is going on, Invalid unless the project serves."""
    await db.execute("select from projects where ref = %s for update", [ref])
    require_serving((await store.get(db, ref)).status)
    inserted = await db.execute(
        "insert into settings_changes (ref, settings, restart) values (%s, %s, %s) on conflict do nothing",
        [ref, Jsonb(change.settings), change.restart],
    )
    if not inserted.rowcount:
        raise Conflict(
            "Another change of this project's Postgres settings is being applied. Try again when it is done."
        )


async def find(db: Connection, ref: str) -> Change | None:
    return await maybe(db, Change, "select settings, restart from settings_changes where ref = %s", [ref])


async def wanted_spec(db: Connection, keyring: Keyring, ref: str) -> ClusterSpec:
    """The cluster with the settings that are being tried, if there are any. Raises NotFound."""
    spec = await store.cluster_spec(db, keyring, ref)
    change = await find(db, ref)
    return replace(spec, settings=await in_force(db, ref, change.settings)) if change else spec


async def adopt(db: Connection, ref: str, *, served: bool) -> None:
    """From now on they are the project's. ``served`` says that Postgres runs with all of them."""
    await db.execute(
        "with tried as (delete from settings_changes where ref = %s returning ref, settings)"
        " update projects p set settings = tried.settings,"
        " settings_served = case when %s then tried.settings else settings_served end"
        " from tried where p.ref = tried.ref",
        [ref, served],
    )


async def drop(db: Connection, ref: str) -> None:
    await db.execute("delete from settings_changes where ref = %s", [ref])
