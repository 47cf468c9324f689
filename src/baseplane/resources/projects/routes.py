from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Query

from baseplane.api.bodies import Text
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.errors import Invalid
from baseplane.resources.organizations.lookup import InOrganization, enter
from baseplane.resources.projects import api_keys, replicas, store, workflows
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.replicas import Replica
from baseplane.resources.projects.schemas import (
    DatabaseStatus,
    OrganizationDatabase,
    OrganizationProject,
    OrganizationProjectsResponse,
    Pagination,
    V1CreateProjectBody,
    V1ProjectRefResponse,
    V1ProjectResponse,
    V1ProjectWithDatabaseResponse,
    V1UpdateProjectBody,
)
from baseplane.resources.projects.status import OPEN, Status
from baseplane.resources.projects.store import Project
from baseplane.resources.regions import choose, choose_size
from baseplane.workflows import journal, queue

router = operations("/v1/projects", "Projects")
of_organization = operations("/v1/organizations", "Projects")


@router.get("", operation_id="v1-list-all-projects")
async def list_projects(ctx: Ctx) -> list[V1ProjectWithDatabaseResponse]:
    """List the projects of all your organizations."""
    ctx.authorize_for_self()
    async with ctx.reading() as db:
        projects = await store.list_of_user(db, ctx.caller.user_id)
    return [
        V1ProjectWithDatabaseResponse.at(project, ctx.rt.settings.project_host)
        for project in projects
        if not ctx.is_narrowed_to_other(organization=project.organization_slug, project=project.ref)
    ]


@router.post("", status_code=201, operation_id="v1-create-a-project")
async def create_project(body: V1CreateProjectBody, ctx: Ctx) -> V1ProjectResponse:
    """Create a project. Answers at once with COMING_UP; the project's status tells when it serves."""
    organization = await enter(ctx, body.organization_slug)
    if body.template_url is not None:
        raise Invalid("template_url: templates are not supported here; leave it out and apply migrations instead.")
    settings = ctx.rt.settings
    selection = body.region_selection
    project = await store.insert(
        ctx.db,
        ctx.rt.keyring,
        organization_slug=organization.slug,
        name=body.name,
        region=choose(
            settings,
            code=selection.code if selection and selection.type == "specific" else body.region,
            group=selection.code if selection and selection.type == "smartGroup" else None,
        ),
        size=choose_size(settings, body.desired_instance_size),
        engine=settings.engine,
        password=body.db_pass,
    )
    await api_keys.insert_defaults(ctx.db, ctx.rt.keyring, project.ref)
    await queue.start(ctx.db, workflows.create, project.ref)
    return V1ProjectResponse.of(project)


@router.get("/{ref}", operation_id="v1-get-project")
async def get_project(project: InProject, ctx: Ctx) -> V1ProjectWithDatabaseResponse:
    """Gets a specific project."""
    return V1ProjectWithDatabaseResponse.at(project, ctx.rt.settings.project_host)


@router.patch("/{ref}", operation_id="v1-update-a-project")
async def update_project(project: InProject, body: V1UpdateProjectBody, ctx: Ctx) -> V1ProjectRefResponse:
    """Rename the project."""
    await store.rename(ctx.db, project.ref, body.name)
    return V1ProjectRefResponse(id=project.id, ref=project.ref, name=body.name)


@router.delete("/{ref}", operation_id="v1-delete-a-project")
async def delete_project(project: InProject, ctx: Ctx) -> V1ProjectRefResponse:
    """Delete the project with all its data. What is being done to it is broken off and undone first."""
    if await store.settle(ctx.db, project.ref, Status.GOING_DOWN, only_from=set(Status) - {Status.GOING_DOWN}):
        await journal.request_cancel(ctx.db, project.ref)
        await queue.start(ctx.db, workflows.delete, project.ref)
    return V1ProjectRefResponse(id=project.id, ref=project.ref, name=project.name)


@of_organization.get("/{slug}/projects", operation_id="v1-get-all-projects-for-organization")
async def list_projects_of_organization(
    organization: InOrganization,
    ctx: Ctx,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    search: Annotated[Text | None, Query()] = None,
    sort: Annotated[Literal["name_asc", "name_desc", "created_asc", "created_desc"], Query()] = "name_asc",
    statuses: Annotated[str | None, Query(description="Comma-separated")] = None,
) -> OrganizationProjectsResponse:
    """Gets the projects of the organization, page by page."""
    wanted = [status.strip() for status in (statuses or "").split(",") if status.strip()]
    if unknown := set(wanted) - set(Status):
        raise Invalid(f"statuses: {', '.join(sorted(unknown))} is not one of {', '.join(Status)}")
    async with ctx.reading() as db:
        projects, count = await store.page_of_organization(
            db,
            organization.slug,
            search=search,
            statuses=wanted,
            only=ctx.caller.projects,
            sort=sort,
            limit=limit,
            offset=offset,
        )
        followers = await replicas.by_project(db, [project.ref for project in projects])
    return OrganizationProjectsResponse(
        projects=[_listed(project, followers.get(project.ref, ())) for project in projects],
        pagination=Pagination(count=count, limit=limit, offset=offset),
    )


PROVIDER = "AWS"
"""The contract's name for where projects run; the official clients know no other for these regions."""

DATABASE_STATUS: dict[Status, DatabaseStatus] = {
    Status.INACTIVE: "GOING_DOWN",
    Status.PAUSING: "GOING_DOWN",
    Status.PAUSE_FAILED: "UNKNOWN",
    Status.RESTORE_FAILED: "UNKNOWN",
    Status.UPGRADING: "RESTARTING",
}
"""What a database is while its project is in a status that the contract does not have for databases."""


def _listed(project: Project, followers: Sequence[Replica]) -> OrganizationProject:
    return OrganizationProject(
        ref=project.ref,
        name=project.name,
        cloud_provider=PROVIDER,
        region=project.region,
        is_branch=False,
        status=project.status,
        inserted_at=project.created_at,
        databases=[
            _database(project, project.ref, project.region, _database_status(project)),
            *(_database(project, each.identifier, each.region, _replica_status(project, each)) for each in followers),
        ],
    )


def _database(project: Project, identifier: str, region: str, status: DatabaseStatus) -> OrganizationDatabase:
    return OrganizationDatabase.model_validate(
        {
            "infra_compute_size": project.size,
            "region": region,
            "status": status,
            "cloud_provider": PROVIDER,
            "identifier": identifier,
            "type": "PRIMARY" if identifier == project.ref else "READ_REPLICA",
        }
    )


def _database_status(project: Project) -> DatabaseStatus:
    status: DatabaseStatus = DATABASE_STATUS.get(project.status) or project.status.value  # type: ignore[assignment]
    return status


def _replica_status(project: Project, replica: Replica) -> DatabaseStatus:
    """A replica that is up goes down with its project, and comes back after it."""
    goes_along = replica.status in replicas.UP and project.status not in OPEN
    status: DatabaseStatus = _database_status(project) if goes_along else replica.status.value
    return status
