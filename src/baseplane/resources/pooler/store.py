"""How a project's pooler is set: what its user chose, and what its compute size gives for the rest."""

from dataclasses import dataclass

from baseplane.database import Connection, maybe
from baseplane.drivers.cluster.sizes import SIZES
from baseplane.drivers.pooler import PoolMode, PoolSettings
from baseplane.resources.projects.store import Project

RESERVED = 10
"""Connections of the cluster that are not for the pooler: superusers' and the platform's own."""

CLIENTS = {
    "nano": 200,
    "micro": 200,
    "small": 400,
    "medium": 600,
    "large": 800,
    "xlarge": 1000,
    "2xlarge": 1500,
    "4xlarge": 3000,
    "8xlarge": 6000,
    "12xlarge": 9000,
}
"""Clients that a pooler takes by compute size, as on the hosted platform; every larger size takes MOST_CLIENTS."""
MOST_CLIENTS = 12_000


@dataclass(frozen=True, slots=True)
class Chosen:
    pool_mode: PoolMode = "transaction"
    default_pool_size: int | None = None


async def read(db: Connection, ref: str) -> Chosen:
    query = "select pool_mode, default_pool_size from poolers where project_ref = %s"
    return await maybe(db, Chosen, query, [ref]) or Chosen()


async def write(db: Connection, ref: str, chosen: Chosen) -> None:
    await db.execute(
        "insert into poolers (project_ref, pool_mode, default_pool_size) values (%s, %s, %s)"
        " on conflict (project_ref) do update"
        " set pool_mode = excluded.pool_mode, default_pool_size = excluded.default_pool_size",
        [ref, chosen.pool_mode, chosen.default_pool_size],
    )


async def inherit(db: Connection, ref: str, source: str) -> None:
    """Let a new project's pooler be set as that of ``source``."""
    await db.execute(
        "insert into poolers (project_ref, pool_mode, default_pool_size)"
        " select %s, pool_mode, default_pool_size from poolers where project_ref = %s",
        [ref, source],
    )


async def settings(db: Connection, project: Project) -> PoolSettings:
    """What the project's pooler runs with."""
    chosen = await read(db, project.ref)
    return PoolSettings(
        chosen.pool_mode,
        chosen.default_pool_size or default_pool_size(project),
        CLIENTS.get(project.size, MOST_CLIENTS),
    )


def default_pool_size(project: Project) -> int:
    """A quarter of the cluster's connections, for each pair of user and database."""
    return SIZES[project.size].max_connections // 4


def most(project: Project) -> int:
    """The largest pool that the cluster can serve."""
    return SIZES[project.size].max_connections - RESERVED
