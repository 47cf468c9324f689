import math
from datetime import timedelta

from baseplane.api.answers import Empty
from baseplane.api.context import Context, Ctx
from baseplane.api.route import operations
from baseplane.errors import Invalid, NotYet
from baseplane.resources.disk import store, watch
from baseplane.resources.disk.schemas import (
    DiskAutoscaleConfig,
    DiskRequestBody,
    DiskResponse,
    DiskUtilMetrics,
    DiskUtilMetricsResponse,
    Gp3,
    ReadOnlyStatusResponse,
)
from baseplane.resources.disk.store import Disk
from baseplane.resources.disk.workflows import enforce
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.store import Project
from baseplane.workflows import queue

router = operations("/v1/projects/{ref}/config/disk", "Projects")
readonly = operations("/v1/projects/{ref}/readonly", "Database")

APPLIED_WITHIN = timedelta(seconds=30)


async def _read(ctx: Context, project: Project) -> Disk:
    async with ctx.reading() as db:
        return await store.get(db, ctx.rt.settings, project.ref)


@router.get("", operation_id="v1-get-database-disk", response_model_exclude_none=True)
async def get_database_disk(project: InProject, ctx: Ctx) -> DiskResponse:
    """Gets how much the project may take on disk, with the attributes that were asked for."""
    return DiskResponse.of(await _read(ctx, project))


@router.post("", status_code=201, operation_id="v1-modify-database-disk", response_class=Empty)
async def modify_database_disk(project: InProject, body: DiskRequestBody, ctx: Ctx) -> Empty:
    """Change how much the project may take. Type, IOPS and throughput are recorded; projects share their machine's disk."""
    wanted, disk, most = body.attributes, await _read(ctx, project), ctx.rt.settings.disk_max_size
    if wanted.size_gb > most:
        raise Invalid(f"attributes.size_gb: must be at most {most:g} here, the operator's limit of a project's disk")
    if wanted.size_gb * store.GB * store.FULL <= (used := disk.used_bytes or 0):
        fits = math.ceil(used / store.GB / store.FULL)
        raise Invalid(f"attributes.size_gb: the project takes {used / store.GB:.1f} GB; give it at least {fits}")
    await store.resize(ctx.db, project.ref, wanted.size_gb, "user")
    throughput = wanted.throughput_mibps if isinstance(wanted, Gp3) else None
    await store.set_attributes(ctx.db, project.ref, wanted.type, wanted.iops, throughput)
    await _enforce(ctx, project)
    return Empty(status_code=201)


async def _enforce(ctx: Context, project: Project) -> None:
    """Answer when the project is read-only or writable, as it should be after this change."""
    disk = await store.get(ctx.db, ctx.rt.settings, project.ref)
    if disk.is_read_only != await store.is_to_be_read_only(ctx.db, ctx.rt.settings, project.ref):
        ctx.answer_after(await queue.start(ctx.db, enforce, project.ref, collapse=True), APPLIED_WITHIN)


@router.get("/util", operation_id="v1-get-disk-utilization")
async def get_disk_utilization(project: InProject, ctx: Ctx) -> DiskUtilMetricsResponse:
    """Gets what the project takes, as last measured; while it has room that is up to a minute ago."""
    disk = await _read(ctx, project)
    if disk.measured_at is None or disk.used_bytes is None:
        raise NotYet("The project's disk has not been measured yet; it is while the project runs.")
    free = max(0, disk.size_bytes - disk.used_bytes)
    metrics = DiskUtilMetrics(fs_size_bytes=disk.size_bytes, fs_avail_bytes=free, fs_used_bytes=disk.used_bytes)
    return DiskUtilMetricsResponse(timestamp=disk.measured_at.isoformat(), metrics=metrics)


@router.get("/autoscale", operation_id="v1-get-project-disk-autoscale-config")
async def get_disk_autoscale_config(project: InProject, ctx: Ctx) -> DiskAutoscaleConfig:  # noqa: ARG001
    """Gets how disks grow on their own, which the operator decides for all projects."""
    most = max(1, math.floor(ctx.rt.settings.disk_max_size))
    return DiskAutoscaleConfig(growth_percent=int(watch.GROWTH * 100), min_increment_gb=None, max_size_gb=most)


@readonly.get("", operation_id="v1-get-readonly-mode-status")
async def get_readonly_mode_status(project: InProject, ctx: Ctx) -> ReadOnlyStatusResponse:
    """Returns whether the project is read-only because its disk is full, and whether that is lifted for a while."""
    disk = await _read(ctx, project)
    until = disk.override_until.isoformat() if disk.override_until and disk.is_overridden else ""
    return ReadOnlyStatusResponse(
        enabled=disk.is_read_only, override_enabled=disk.is_overridden, override_active_until=until
    )


@readonly.post(
    "/temporary-disable", status_code=201, operation_id="v1-disable-readonly-mode-temporarily", response_class=Empty
)
async def disable_readonly_mode(project: InProject, ctx: Ctx) -> Empty:
    """Let the project be written to for the next 15 minutes, however full its disk is."""
    await store.override(ctx.db, project.ref)
    await _enforce(ctx, project)
    return Empty(status_code=201)
