"""The worker: it carries runs on, and looks after what is there."""

import asyncio

from baseplane.app import belongings
from baseplane.app.drivers import own_platform
from baseplane.app.files import take_all_files
from baseplane.drivers.outbound import outbound
from baseplane.resources.access import sweeper
from baseplane.resources.backups import lost, platform
from baseplane.resources.backups import watch as backups_watch
from baseplane.resources.backups.left_serving import left_serving
from baseplane.resources.cloning import workflows as _cloning  # noqa: F401 -- no route brings it in
from baseplane.resources.disk import watch as disks
from baseplane.resources.network import upkeep
from baseplane.resources.pooler import pools
from baseplane.resources.projects import monitor, sleep
from baseplane.resources.replicas import monitor as replica_monitor
from baseplane.resources.third_party_auth import refreshing
from baseplane.resources.webhooks import delivery
from baseplane.runtime import Runtime
from baseplane.workflows.queue import Queue


async def run_worker(rt: Runtime) -> None:
    """Carry runs on and look after the clusters, until cancelled."""
    take_all_files()
    queue = Queue(rt)
    await queue.open()
    async with outbound(rt.outbound) as sender, asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.work())
        tasks.create_task(monitor.watch(rt, left_serving))
        tasks.create_task(replica_monitor.watch(rt))
        tasks.create_task(sleep.watch(rt))
        tasks.create_task(disks.watch(rt))
        tasks.create_task(backups_watch.watch(rt))
        tasks.create_task(lost.watch(rt))
        tasks.create_task(
            platform.watch(rt, own_platform(rt.settings), lambda: belongings.collect(rt.settings.data_dir))
        )
        tasks.create_task(pools.watch(rt))
        tasks.create_task(sweeper.watch(rt))
        tasks.create_task(delivery.watch(rt, sender))
        tasks.create_task(upkeep.watch(rt))
        tasks.create_task(refreshing.watch(rt, sender))
