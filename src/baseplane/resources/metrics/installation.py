"""What the operator of an installation watches: everything in sum, and by name what is wrong with whom."""

from datetime import UTC, datetime
from importlib.metadata import version

from baseplane.database import Connection
from baseplane.resources.backups.report import Report, Summary, of_platform, summarize
from baseplane.resources.metrics import store
from baseplane.resources.metrics.page import Page
from baseplane.resources.projects.replicas import ReplicaStatus
from baseplane.resources.projects.status import Status
from baseplane.settings import Settings

MOST = 200
"""Projects that are named with one kind of problem: when the archive is gone, all of them have it."""


async def read(db: Connection, settings: Settings, *, is_archived: bool) -> Page:
    """From the platform database alone, so that it does not matter which API process is asked."""
    page = Page()
    page.gauge("baseplane_info", "The version that runs here.", 1, version=version("baseplane"))
    _show_projects(page, await store.projects(db))
    _show_runs(page, await store.runs(db))
    lag = _age(await store.waiting_since(db))
    page.gauge("baseplane_queue_lag_seconds", "How long a run has waited for a worker to take it.", lag)
    page.gauge("baseplane_workers", "Workers that give signs of life.", await store.workers(db))
    wrong = await store.troubled(db, MOST)
    if is_archived:
        archives = await summarize(db, settings, MOST)
        _show_archives(page, archives)
        wrong += [(ref, problem) for ref, problem in archives.wrong]
        if own := await of_platform(db, settings):
            _show_platform(page, own)
            wrong += [(own.ref, problem) for problem in own.problems]
    _show_replicas(page, await store.replicas(db))
    for ref, problem in wrong:
        about = "Projects with which something is wrong: status, disk, replica, archive, backup, drill."
        page.gauge("baseplane_project_problem", about, 1, ref=ref, problem=problem)
    return page


def _age(moment: datetime | None) -> float:
    """Seconds since then; 0 where there is nothing to wait for."""
    return 0.0 if moment is None else max((datetime.now(UTC) - moment).total_seconds(), 0.0)


def _show_projects(page: Page, found: list[store.Projects]) -> None:
    counts = {projects.status: projects.count for projects in found}
    for status in Status:
        if status is not Status.REMOVED:
            page.gauge("baseplane_projects", "Projects by status.", counts.get(status, 0), status=status)
    asleep, read_only = sum(projects.asleep for projects in found), sum(projects.read_only for projects in found)
    page.gauge("baseplane_projects_asleep", "Projects that sleep until somebody comes.", asleep)
    page.gauge("baseplane_projects_read_only", "Projects that only read, since their disks are nearly full.", read_only)
    used = sum(projects.used for projects in found)
    page.gauge("baseplane_disk_used_bytes", "Bytes of data and log of all projects on disk.", used)


def _show_runs(page: Page, found: list[store.Runs]) -> None:
    for runs in found:
        labels = {"workflow": runs.workflow}
        if runs.state == "failed":
            about = "Runs that failed within the last 24 hours."
            page.gauge("baseplane_runs_failed", about, runs.count, **labels)
        else:
            labels["state"] = runs.state
            page.gauge("baseplane_runs", "Runs that have not ended.", runs.count, **labels)
            about = "How long ago the oldest of these was asked for."
            page.gauge("baseplane_runs_oldest_seconds", about, _age(runs.since), **labels)


def _show_archives(page: Page, found: Summary) -> None:
    about = "Projects whose archive is behind by more than BASEPLANE_ARCHIVE_RPO, or failed when it was last tried."
    page.gauge("baseplane_archives_behind", about, found.behind)
    about = "How long finished log of any project has waited to be archived."
    page.gauge("baseplane_archive_behind_max_seconds", about, _age(found.behind_since))
    page.gauge("baseplane_archives_failing", "Projects whose archiving failed when it was last tried.", found.errors)
    page.gauge("baseplane_archive_looked_timestamp_seconds", "When a worker last looked at it.", found.looked_at)
    page.gauge("baseplane_backups_missing", "Projects that serve and have no backup.", found.not_backed_up)
    page.gauge("baseplane_backups_failed", "Projects whose last backup failed.", found.failures)
    about = "End of the newest backup of the project for which that is longest ago."
    page.gauge("baseplane_backup_oldest_end_timestamp_seconds", about, found.backed_up_at)
    page.gauge("baseplane_backup_stored_bytes", "Bytes that all backups take in the archive.", found.stored)
    about = "Projects by how the last drill of their backups went."
    page.gauge("baseplane_drills", about, found.drills_passed, result="passed")
    page.gauge("baseplane_drills", about, found.drills_failed, result="failed")
    about = "Last drill of the project for which that is longest ago."
    page.gauge("baseplane_drill_oldest_end_timestamp_seconds", about, found.drilled_at)


def _show_platform(page: Page, found: Report) -> None:
    about = "How long finished log of the platform database has waited to be archived."
    page.gauge("baseplane_platform_archive_behind_seconds", about, _age(found.behind_since))
    about = "End of the newest backup of the platform database."
    page.gauge("baseplane_platform_backup_end_timestamp_seconds", about, found.backed_up_at)


def _show_replicas(page: Page, found: list[store.Replicas]) -> None:
    counts = {replicas.status: replicas.count for replicas in found}
    for status in ReplicaStatus:
        page.gauge("baseplane_replicas", "Read replicas by status.", counts.get(status, 0), status=status)
    lag = max((replicas.bytes_behind or 0 for replicas in found), default=0)
    page.gauge("baseplane_replica_lag_max_bytes", "Bytes of log that any has not replayed.", lag)
    seconds = max((replicas.seconds_behind or 0 for replicas in found), default=0)
    page.gauge("baseplane_replica_lag_max_seconds", "Age of the last transaction that any has replayed.", seconds)
