"""Pausing a project, bringing it back, and restarting its Postgres."""

from typing import Literal

from baseplane.api.answers import Empty
from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.errors import Conflict, Invalid
from baseplane.resources.projects import store, workflows
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.status import PAUSABLE, RESTORABLE, SERVING, Status, require
from baseplane.workflows import WORKFLOWS, journal, queue

router = operations("/v1/projects/{ref}", "Projects")


@router.post("/pause", operation_id="v1-pause-a-project", response_class=Empty)
async def pause_project(project: InProject, ctx: Ctx) -> Empty:
    """Stop the project's cluster; its data stays. Its status tells when it is INACTIVE."""
    require(project.status, PAUSABLE, "paused")
    if not await store.settle(ctx.db, project.ref, Status.PAUSING, only_from=PAUSABLE):
        raise Conflict("The project has just changed its state; look again.")
    await queue.start(ctx.db, workflows.pause, project.ref)
    return Empty()


@router.post("/restore", operation_id="v1-restore-a-project", response_class=Empty)
async def restore_project(project: InProject, ctx: Ctx) -> Empty:
    """Bring a paused project back, or try again what failed. Its status tells when it is ACTIVE_HEALTHY."""
    require(project.status, RESTORABLE, "restored")
    again = project.status == Status.INIT_FAILED
    to = Status.COMING_UP if again else Status.RESTORING
    if not await store.settle(ctx.db, project.ref, to, only_from={project.status}):
        raise Conflict("The project has just changed its state; look again.")
    workflow = WORKFLOWS[await store.made_by(ctx.db, project.ref)] if again else workflows.restore
    await queue.start(ctx.db, workflow, project.ref)
    return Empty()


@router.post("/restart", operation_id="v1-restart-a-project", response_class=Empty)
async def restart_project(project: InProject, ctx: Ctx) -> Empty:
    """Restart the project's Postgres. Its sessions end; its status tells when it is ACTIVE_HEALTHY again."""
    require(project.status, SERVING, "restarted")
    cause = "Its restart was asked for."
    if not await store.settle(ctx.db, project.ref, Status.RESTARTING, only_from=SERVING, cause=cause):
        raise Conflict("The project has just changed its state; look again.")
    await queue.start(ctx.db, workflows.stop_and_start, project.ref)
    return Empty()


class RestoreVersion(Body):
    version: str
    release_channel: Literal["ga"] = "ga"
    postgres_engine: str


class GetProjectAvailableRestoreVersionsResponse(Body):
    available_versions: list[RestoreVersion]


NAMED_ENGINES = ("13", "14", "15", "17")
"""Postgres majors that the contract has a name for."""


@router.get("/restore", operation_id="v1-list-available-restore-versions")
async def list_available_restore_versions(project: InProject, ctx: Ctx) -> GetProjectAvailableRestoreVersionsResponse:
    """Gets the version of Postgres with which a paused project is brought back: its data is of one major."""
    engine = str(project.engine)
    versions = (
        [RestoreVersion(version=ctx.rt.clusters.version(project.engine), postgres_engine=engine)]
        if project.status in RESTORABLE and engine in NAMED_ENGINES
        else []
    )
    return GetProjectAvailableRestoreVersionsResponse(available_versions=versions)


@router.post("/restore/cancel", operation_id="v1-cancel-a-project-restoration", response_class=Empty)
async def cancel_project_restoration(project: InProject, ctx: Ctx) -> Empty:
    """Break off what brings the project back, and leave it as it was. Its status tells when it is so."""
    if project.status != Status.RESTORING:
        raise Invalid(f"There is no restoration to cancel: the project is {project.status}.")
    await journal.request_cancel(ctx.db, project.ref)
    return Empty()
