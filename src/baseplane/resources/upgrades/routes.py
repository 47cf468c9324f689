from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query

from baseplane.api.context import Context, Ctx
from baseplane.api.route import DirectOperation, operations
from baseplane.errors import Conflict, Invalid, NotFound, NotYet, Unavailable
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.sleep import awaken
from baseplane.resources.projects.status import NEXT_STEP, SERVING, Status, require
from baseplane.resources.projects.store import Project
from baseplane.resources.upgrades import store, workflows
from baseplane.resources.upgrades.obstacles import Findings
from baseplane.resources.upgrades.schemas import (
    DatabaseUpgradeStatus,
    DatabaseUpgradeStatusResponse,
    ProjectUpgradeEligibilityResponse,
    ProjectUpgradeInitiateResponse,
    UpgradeDatabaseBody,
)
from baseplane.workflows import queue

router = operations("/v1/projects/{ref}/upgrade", "Projects", route=DirectOperation)

CHECKED_WITHIN = timedelta(seconds=60)


@router.get("/eligibility", operation_id="v1-get-postgres-upgrade-eligibility")
async def get_upgrade_eligibility(project: InProject, ctx: Ctx) -> ProjectUpgradeEligibilityResponse:
    """Gets to which versions of Postgres the project can go, and what stands in the way; pg_upgrade itself is asked."""
    findings = await _check(ctx, project, None) if project.status in SERVING else _out_of_reach(project)
    return ProjectUpgradeEligibilityResponse.of(findings, everything=ctx.rt.settings.upgrades_all)


def _out_of_reach(project: Project) -> Findings:
    """What can be said of a project whose cluster does not serve."""
    findings = Findings(project.postgres_version or str(project.engine), project.engine, {})
    if project.status == Status.INACTIVE:
        findings.errors.append({"type": "project_hibernating"})
    hint = NEXT_STEP.get(project.status, "")
    findings.obstacles.append(f"Only a project that serves can be upgraded: it is {project.status}. {hint}".rstrip())
    return findings


async def _check(ctx: Context, project: Project, engine: int | None) -> Findings:
    """Have a worker look, which is where the clusters are. Raises Unavailable, NotYet."""
    await awaken(ctx.rt, project)
    async with ctx.rt.database.transaction() as db:
        check_id = await store.ask(db, project.ref, engine)
        run_id = await queue.start(db, workflows.check, project.ref, collapse=True)
    run = await queue.outcome(ctx.rt.database, run_id, CHECKED_WITHIN)
    async with ctx.rt.database.connection() as db:
        stored = await store.answered(db, check_id)
    if stored is not None:
        return Findings.read(stored)
    if run.state in ("failed", "cancelled"):
        raise Unavailable(f"Whether the project can be upgraded could not be found out: {run.cause or 'try again'}")
    raise NotYet("Something else is being done to the project. Ask again when that has ended.")


@router.post("", status_code=201, operation_id="v1-upgrade-postgres-version")
async def upgrade_project(project: InProject, body: UpgradeDatabaseBody, ctx: Ctx) -> ProjectUpgradeInitiateResponse:
    """Upgrade the project's Postgres. It takes no connections meanwhile; if anything fails, it goes on with the old one."""
    require(project.status, SERVING, "upgraded")
    if body.release_channel not in (None, "ga"):
        raise Invalid(f"release_channel: {body.release_channel} is not offered here, only ga")
    if (target := body.target()) is None:
        raise Invalid("target_version: must be a version of Postgres, such as 18 or 18.6")
    findings = await _check(ctx, project, target[0])
    version = findings.targets.get(target[0])
    if version is None or target[1] not in (str(target[0]), version):
        offered = ", ".join(findings.targets.values()) or "none"
        raise Invalid(f"target_version: {body.target_version} is not offered to this project; what is: {offered}")
    if not findings.possible:
        raise Invalid(f"The project cannot be upgraded: {findings.said}", validation_errors=findings.errors)
    async with ctx.rt.database.transaction() as db:
        if not await projects.settle(db, project.ref, Status.UPGRADING, only_from=SERVING):
            raise Conflict("The project has just changed its state; look again.")
        tracking_id = await store.insert(db, project.ref, target[0], version)
        await queue.start(db, workflows.upgrade, project.ref)
    return ProjectUpgradeInitiateResponse(tracking_id=str(tracking_id))


@router.get("/status", operation_id="v1-get-postgres-upgrade-status")
async def get_upgrade_status(
    project: InProject, ctx: Ctx, tracking_id: Annotated[UUID | None, Query()] = None
) -> DatabaseUpgradeStatusResponse:
    """Gets how far the project's latest upgrade is, or the one that was asked for; null when there was none."""
    async with ctx.reading() as db:
        found = await (store.find(db, project.ref, tracking_id) if tracking_id else store.latest(db, project.ref))
    if tracking_id and found is None:
        raise NotFound("tracking_id: this project has no such upgrade")
    told = DatabaseUpgradeStatus.of(found).model_dump(exclude_none=True) if found else None
    return DatabaseUpgradeStatusResponse(databaseUpgradeStatus=told)
