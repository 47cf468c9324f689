"""Changes of what Postgres is started with, settings or compute size: at most one a project, while they are tried."""

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
    """What is None stays as it is. ``restart`` allows one where it is needed."""

    settings: Overrides | None
    restart: bool
    size: str | None = None


async def insert(db: Connection, ref: str, change: Change) -> None:
    """Write down what is to be tried. Raises Conflict when a change is going on, Invalid unless the project serves."""
    await db.execute("select from projects where ref = %s for update", [ref])
    require_serving((await store.get(db, ref)).status)
    inserted = await db.execute(
        "insert into settings_changes (ref, settings, restart, size) values (%s, %s, %s, %s) on conflict do nothing",
        [ref, None if change.settings is None else Jsonb(change.settings), change.restart, change.size],
    )
    if not inserted.rowcount:
        raise Conflict(
            "Another change of this project's Postgres settings or size is being applied. Try again when it is done."
        )


async def find(db: Connection, ref: str) -> Change | None:
    return await maybe(db, Change, "select settings, restart, size from settings_changes where ref = %s", [ref])


async def wanted_spec(db: Connection, keyring: Keyring, ref: str) -> ClusterSpec:
    """The cluster with what is being tried, if there is anything. Raises NotFound."""
    spec = await store.cluster_spec(db, keyring, ref)
    if (change := await find(db, ref)) is None:
        return spec
    return replace(spec, settings=await in_force(db, ref, change.settings), size=change.size or spec.size)


async def adopt(db: Connection, ref: str, *, served: bool) -> None:
    """From now on it is the project's. ``served`` says that Postgres runs with all of it."""
    await db.execute(
        "with tried as (delete from settings_changes where ref = %s returning ref, settings, size)"
        " update projects p set settings = coalesce(tried.settings, p.settings), size = coalesce(tried.size, p.size),"
        " settings_served = case when %s then coalesce(tried.settings, p.settings) else settings_served end"
        " from tried where p.ref = tried.ref",
        [ref, served],
    )


async def drop(db: Connection, ref: str) -> None:
    await db.execute("delete from settings_changes where ref = %s", [ref])
