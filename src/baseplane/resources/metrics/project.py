"""What the platform database knows of a project: its state, disk, archive, backups, drills, read replicas."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from baseplane.database import Connection
from baseplane.errors import NotFound
from baseplane.resources.backups import archives
from baseplane.resources.backups.report import Report, report
from baseplane.resources.backups.schemas import PhysicalBackupData
from baseplane.resources.disk import store as disks
from baseplane.resources.disk.store import Disk
from baseplane.resources.metrics.page import Page
from baseplane.resources.projects import replicas, store
from baseplane.resources.projects.replicas import Replica, ReplicaStatus
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import Project
from baseplane.settings import Settings

FRESH = timedelta(minutes=1)
"""How old a measurement of a read replica may be: one that does not answer is not measured, and no lag is shown."""
DATA = {"mountpoint": "/data", "fstype": "allowance", "device": "allowance"}
"""Where the hosted platform's dashboards look for the disk of a project."""


@dataclass(frozen=True, slots=True)
class Known:
    project: Project
    disk: Disk
    report: Report
    window: PhysicalBackupData
    replicas: list[Replica]


async def read(db: Connection, settings: Settings, ref: str) -> Known:
    """Raises NotFound."""
    project = await store.get(db, ref)
    found = await report(db, settings, ref)
    if not found:  # it is just being removed
        raise NotFound(store.MISSING)
    return Known(
        project,
        await disks.get(db, settings, ref),
        found[0],
        PhysicalBackupData.of(await archives.windows(db, settings, ref)),
        await replicas.list_of(db, ref),
    )


def show(page: Page, known: Known, *, is_archived: bool) -> None:
    project = known.project
    for status in Status:
        if status is not Status.REMOVED:
            about = "Whether the project has this status, as the API tells it."
            page.gauge("baseplane_project_status", about, status is project.status, status=status)
    page.gauge("baseplane_project_asleep", "Whether it sleeps until somebody comes.", project.asleep)
    _show_disk(page, known.disk)
    if is_archived:
        _show_archive(page, known.report, known.window)
    for replica in known.replicas:
        _show_replica(page, replica)


def _show_disk(page: Page, disk: Disk) -> None:
    free = None if disk.used_bytes is None else max(disk.size_bytes - disk.used_bytes, 0)
    page.gauge("node_filesystem_size_bytes", "Bytes that the project may take on disk.", disk.size_bytes, **DATA)
    page.gauge("node_filesystem_avail_bytes", "Bytes of these that are left.", free, **DATA)
    page.gauge("baseplane_disk_used_bytes", "Bytes of data and log on disk.", disk.used_bytes)
    page.gauge("baseplane_disk_measured_timestamp_seconds", "When these were counted.", disk.measured_at)
    about = "Whether new transactions only read, since the disk is nearly full."
    page.gauge("pg_settings_default_transaction_read_only", about, disk.is_read_only)


def _show_archive(page: Page, found: Report, window: PhysicalBackupData) -> None:
    behind = 0.0 if found.behind_since is None else (datetime.now(UTC) - found.behind_since).total_seconds()
    page.gauge("baseplane_archive_behind_seconds", "How long finished log has waited to be archived.", behind)
    about = "Everything committed before is in the archive."
    page.gauge("baseplane_archive_complete_until_timestamp_seconds", about, found.complete_until)
    page.gauge("baseplane_archive_error", "Whether archiving failed when it was last tried.", found.error is not None)
    if found.kind is not None:
        page.gauge(
            "baseplane_backup_end_timestamp_seconds", "End of the newest backup.", found.backed_up_at, kind=found.kind
        )
        page.gauge("baseplane_backup_size_bytes", "Bytes of data in it.", found.size, kind=found.kind)
    page.gauge("baseplane_backup_stored_bytes", "Bytes that all backups take in the archive.", found.stored or 0)
    page.gauge("baseplane_backup_failed", "Whether one failed since the newest.", found.failure is not None)
    earliest, latest = window.earliest_physical_backup_date_unix, window.latest_physical_backup_date_unix
    page.gauge("baseplane_restore_earliest_timestamp_seconds", "The first second that can be restored.", earliest)
    page.gauge("baseplane_restore_latest_timestamp_seconds", "The last second that can be restored for sure.", latest)
    page.gauge("baseplane_drill_end_timestamp_seconds", "When a backup was last tried out.", found.drilled_at)
    page.gauge("baseplane_drill_passed", "Whether that went well.", found.drill_passed)


def _show_replica(page: Page, replica: Replica) -> None:
    labels = {"supabase_identifier": replica.identifier}
    for status in ReplicaStatus:
        about = "Whether the read replica has this status."
        page.gauge("baseplane_replica_status", about, status is replica.status, status=status, **labels)
    about = "When it was last seen to stream from its primary."
    page.gauge("baseplane_replica_streamed_timestamp_seconds", about, replica.streamed_at, **labels)
    if replica.measured_at is None or datetime.now(UTC) - replica.measured_at > FRESH:
        return
    name = "physical_replication_lag_physical_replication_lag_seconds"
    about = "Age of the last transaction that it has replayed; 0 when that is all there is."
    page.gauge(name, about, replica.seconds_behind, **labels)
    page.gauge("baseplane_replica_lag_bytes", "Bytes of log that it has not replayed.", replica.bytes_behind, **labels)
