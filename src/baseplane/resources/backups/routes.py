"""Backups of a project, and the ways back to what it was."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from baseplane.api.answers import Empty
from baseplane.api.context import Context, Ctx
from baseplane.api.route import operations
from baseplane.drivers.archive.absent import OFF
from baseplane.errors import Conflict, Invalid
from baseplane.resources.backups import archives, choosing, schedules, store
from baseplane.resources.backups.choosing import Chosen
from baseplane.resources.backups.recovering import recover
from baseplane.resources.backups.schemas import (
    LAST_SECOND,
    Name,
    PhysicalBackupData,
    V1Backup,
    V1BackupScheduleResponse,
    V1BackupsResponse,
    V1RestoreBackupBody,
    V1RestorePitrBody,
    V1RestorePointPostBody,
    V1RestorePointResponse,
    V1UndoBody,
    V1UpdateBackupScheduleBody,
)
from baseplane.resources.backups.taking import mark, subject
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.sleep import awaken
from baseplane.resources.projects.status import SERVING, Status, require, require_serving
from baseplane.resources.projects.store import Project
from baseplane.workflows import queue

router = operations("/v1/projects/{ref}/database/backups", "Database")

RECOVERABLE = SERVING | {Status.RESTORE_FAILED, Status.INACTIVE}


@router.get("", operation_id="v1-list-all-backups", response_model_exclude_none=True)
async def list_backups(project: InProject, ctx: Ctx) -> V1BackupsResponse:
    """Lists the project's backups, newest first, and between which seconds it can be brought back to any."""
    is_on = ctx.rt.archive.is_on
    async with ctx.reading() as db:
        backups = await store.list_backups(db, project.ref)
        windows = await archives.windows(db, ctx.rt.settings, project.ref)
    return V1BackupsResponse(
        region=project.region,
        walg_enabled=is_on,
        pitr_enabled=is_on,
        backups=[V1Backup.of(backup) for backup in backups],
        physical_backup_data=PhysicalBackupData.of(windows),
    )


@router.post("/restore-pitr", status_code=201, operation_id="v1-restore-pitr-backup", response_class=Empty)
async def restore_pitr_backup(project: InProject, body: V1RestorePitrBody, ctx: Ctx) -> Empty:
    """Bring the project back to what it was at a second. Until that is ready, the database serves as it is."""
    _require_archive(ctx)
    require(project.status, RECOVERABLE, "brought back")
    field, unix = "recovery_time_target_unix", body.recovery_time_target_unix
    if unix > LAST_SECOND:
        known = archives.describe(await archives.windows(ctx.db, ctx.rt.settings, project.ref))
        raise Invalid(f"{field}: is beyond the year 9999: it is in seconds. {known}")
    at = datetime.fromtimestamp(unix, UTC)
    return await _begin(ctx, project, await choosing.moment(ctx.db, ctx.rt.settings, project, at, field=field))


@router.post("/restore", status_code=201, operation_id="v1-restore-physical-backup", response_class=Empty)
async def restore_physical_backup(project: InProject, body: V1RestoreBackupBody, ctx: Ctx) -> Empty:
    """Bring the project back to what it was at the end of one of its backups."""
    _require_archive(ctx)
    require(project.status, RECOVERABLE, "brought back")
    return await _begin(ctx, project, await choosing.as_backed_up(ctx.db, project, body.id))


@router.post("/undo", status_code=201, operation_id="v1-undo", response_class=Empty)
async def undo(project: InProject, body: V1UndoBody, ctx: Ctx) -> Empty:
    """Bring the project back to one of its restore points."""
    _require_archive(ctx)
    require(project.status, RECOVERABLE, "brought back")
    return await _begin(ctx, project, await choosing.point(ctx.db, project, body.name, field="name"))


async def _begin(ctx: Context, project: Project, chosen: Chosen) -> Empty:
    backup, status = chosen.backup.id, project.status
    await store.ask_for_recovery(ctx.db, project.ref, backup, status, moment=chosen.moment, point=chosen.point)
    if not await projects.settle(ctx.db, project.ref, Status.RESTORING, only_from={project.status}):
        raise Conflict("The project has just changed its state; look again.")
    await queue.start(ctx.db, recover, project.ref)
    return Empty(status_code=201)


def _require_archive(ctx: Context) -> None:
    if not ctx.rt.archive.is_on:
        raise Invalid(OFF)


@router.get("/restore-point", operation_id="v1-get-restore-point")
async def get_restore_point(
    project: InProject, ctx: Ctx, name: Annotated[Name | None, Query()] = None
) -> V1RestorePointResponse:
    """Gets a restore point by its name, or the newest."""
    async with ctx.reading() as db:
        return V1RestorePointResponse.of(await store.get_point(db, project.ref, name or None))


@router.post("/restore-point", status_code=201, operation_id="v1-create-restore-point")
async def create_restore_point(project: InProject, body: V1RestorePointPostBody, ctx: Ctx) -> V1RestorePointResponse:
    """Mark this moment, to come back to it by name. It is AVAILABLE once the archive holds everything before it."""
    _require_archive(ctx)
    require_serving(project.status)
    if not body.name.strip():
        raise Invalid("name: must not be empty")
    windows = await archives.windows(ctx.db, ctx.rt.settings, project.ref)
    if not any(window.is_current for window in windows):
        raise Invalid(f"{archives.describe([])} A restore point is of use after the first, which is taken right away.")
    await awaken(ctx.rt, project)
    point = await store.insert_point(ctx.db, project.ref, body.name)
    await queue.start(ctx.db, mark, subject("point", project.ref))
    return V1RestorePointResponse.of(point)


@router.get("/schedule", operation_id="v1-get-backup-schedule")
async def get_backup_schedule(project: InProject, ctx: Ctx) -> V1BackupScheduleResponse:
    """Gets at which time of the day, in UTC, the project is backed up."""
    async with ctx.reading() as db:
        return V1BackupScheduleResponse.of(await schedules.get(db, project.ref))


@router.patch("/schedule", operation_id="v1-update-backup-schedule")
async def update_backup_schedule(
    project: InProject, body: V1UpdateBackupScheduleBody, ctx: Ctx
) -> V1BackupScheduleResponse:
    """Choose the time of the day at which the project is backed up."""
    at = body.time()
    if at is None:
        raise Invalid("schedule_for: must be a time of the day in UTC, such as 03:30")
    await schedules.choose(ctx.db, project.ref, at)
    return V1BackupScheduleResponse.of(await schedules.get(ctx.db, project.ref))
