"""To what a project is brought back, or another one is made from: a moment, a restore point, a backup, the newest."""

from dataclasses import dataclass
from datetime import UTC, datetime

from baseplane.database import Connection
from baseplane.drivers.archive import Target
from baseplane.errors import Invalid
from baseplane.resources.backups import archives, store
from baseplane.resources.backups.store import Backup
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import Project
from baseplane.settings import Settings


@dataclass(frozen=True, slots=True)
class Chosen:
    """The backup to begin with, and where to stop; without any of these, at the end of what is archived."""

    backup: Backup
    moment: datetime | None = None
    point: int | None = None
    as_backed_up: bool = False


async def target(db: Connection, settings: Settings, chosen: Chosen) -> Target:
    """For the archive's driver."""
    if chosen.point is not None:
        return Target(point=store.point_label(chosen.point))
    if chosen.moment is None:
        return Target(as_backed_up=chosen.as_backed_up)
    known = await archives.windows(db, settings, chosen.backup.project_ref)
    until = next((window.latest for window in known if window.generation == chosen.backup.generation), None)
    return Target(time=chosen.moment, complete_until=until)


async def moment(db: Connection, settings: Settings, project: Project, at: datetime, *, field: str) -> Chosen:
    """Raises Invalid, which tells the moments that there are."""
    windows = await archives.windows(db, settings, project.ref)
    if at > datetime.now(UTC):
        raise Invalid(f"{field}: lies in the future. {archives.describe(windows)}")
    window = archives.containing(windows, at, runs=project.status == Status.ACTIVE_HEALTHY)
    backup = await store.newest_backup(db, project.ref, window.generation, at) if window else None
    if backup is None:
        raise Invalid(f"{field}: is outside of what is archived. {archives.describe(windows)}")
    return Chosen(backup, moment=at)


async def point(db: Connection, project: Project, name: str | None, *, field: str) -> Chosen:
    """The newest restore point of this name, or of all. Raises NotFound, Invalid."""
    found = await store.get_point(db, project.ref, name)
    if found.status != "AVAILABLE" or found.completed_on is None or found.generation is None:
        raise Invalid(f"{field}: the restore point {name!r} is {found.status}; only an AVAILABLE one can be come to.")
    backup = await store.newest_backup(db, project.ref, found.generation, found.completed_on)
    if backup is None:
        raise Invalid(f"{field}: there is no complete backup from before the restore point {name!r}.")
    return Chosen(backup, point=found.id)


async def as_backed_up(db: Connection, project: Project, backup_id: int) -> Chosen:
    """Raises NotFound."""
    return Chosen(await store.get_backup(db, project.ref, backup_id), as_backed_up=True)


async def newest(db: Connection, settings: Settings, project: Project) -> Chosen:
    """Of the data that the project has now. Raises Invalid when that has no backup yet."""
    windows = await archives.windows(db, settings, project.ref)
    current = next((window for window in windows if window.is_current), None)
    backup = await store.newest_backup(db, project.ref, current.generation, datetime.now(UTC)) if current else None
    if backup is None:
        earlier = archives.describe(windows) if windows else "Its first is taken right away."
        raise Invalid(f"There is no complete backup of the project as it is now yet. {earlier}")
    return Chosen(backup)
