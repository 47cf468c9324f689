"""An installation on a new machine, out of the archive of the one that is lost.

Everything here can be done again after a crash: what is done already is found done.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from baseplane.app.drivers import clusters as build_clusters
from baseplane.database import Connection, Database, migrations
from baseplane.drivers.archive import BaseBackup, Target
from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.archive.survey import Archived
from baseplane.drivers.cluster import State
from baseplane.drivers.cluster.engines import pick
from baseplane.drivers.cluster.layout import PLATFORM
from baseplane.drivers.cluster.platform import PlatformCluster, archived_as
from baseplane.drivers.cluster.switching import all_aside
from baseplane.resources.backups import adoption
from baseplane.resources.projects import losses, replicas, store
from baseplane.resources.projects import workflows as projects
from baseplane.resources.projects.replicas import ReplicaStatus
from baseplane.resources.projects.status import Status
from baseplane.resources.replicas import workflows as replica_workflows
from baseplane.settings import Settings
from baseplane.workflows import queue

BROKEN_OFF = "The machine that did this is lost."
BRINGING_BACK = "Its machine is lost; it is brought back from its archive."


def platform_cluster(settings: Settings, engine: int) -> PlatformCluster:
    driver = build_clusters(settings)
    found = pick(engine, settings.engines_dir)
    return PlatformCluster(driver.layout, settings.engines_dir, driver.account, found, driver.rpo)


async def is_in_place(archive: LocalArchive) -> bool:
    """Whether the platform database has been brought back already."""
    return await archive.clusters.observe(PLATFORM) is not State.MISSING


async def bring_back_platform(archive: LocalArchive, backup: BaseBackup, at: datetime | None) -> None:
    """Lay the platform database into its place, as it was at a moment or at the end of its log.

    Its password must be there. Raises BackupDamaged, RecoveryFailed, ArchiveUnavailable, EngineMissing.
    """
    if await is_in_place(archive):
        return
    layout = archive.clusters.layout
    label = f"recovery-{at.timestamp():.0f}" if at else "recovery"
    await archive.prepare(archived_as(layout, backup.engine), label, backup.id, Target(time=at))
    await archive.clusters.switch_in(PLATFORM, label)
    for left in all_aside(layout.platform):  # of an attempt to come to another moment, too
        await archive.clusters.discard(PLATFORM, left.label)


async def record_loss(url: str, found: Mapping[str, Archived]) -> list[store.Project]:
    """Write down in the platform database that the machine is lost, and what its archive has; gives all projects.

    Runs of then are ended; `baseplane up` carries out what is to be done now.
    """
    await asyncio.to_thread(migrations.upgrade, url)
    async with Database(url, max_size=1) as database, database.transaction() as db:
        leaving = await store.list_in(db, {Status.GOING_DOWN}), await replicas.list_leaving(db)
        await queue.abandon_all(db, BROKEN_OFF)
        for project in await store.list_in(db, set(Status) - {Status.REMOVED}):
            await adoption.adopt(db, project.ref, found[project.ref].backups if project.ref in found else ())
        await adoption.renew_ids(db)
        await adoption.forget_replaced_data(db)
        await _go_on_removing(db, *leaving)
        archived = [ref for ref, each in found.items() if each.backups]
        await losses.lose_all(db, BRINGING_BACK, but=archived)
        await replicas.lose_all(db, BROKEN_OFF)
        return await store.list_in(db, set(Status) - {Status.REMOVED})


async def _go_on_removing(db: Connection, leaving: list[store.Project], copies: list[replicas.Replica]) -> None:
    for project in leaving:
        await store.settle(db, project.ref, Status.GOING_DOWN, only_from=set(Status))
        await queue.start(db, projects.delete, project.ref)
    for copy in copies:
        going = ReplicaStatus.GOING_DOWN
        await replicas.settle(db, copy.identifier, going, only_from=set(ReplicaStatus))
        await queue.start(db, replica_workflows.remove, copy.identifier)
