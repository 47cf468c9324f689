"""How a project's REST server is set."""

from dataclasses import asdict, replace
from datetime import timedelta

from baseplane.api import permissions
from baseplane.api.context import Context, Ctx
from baseplane.api.route import DirectOperation, operations
from baseplane.drivers.cluster import Role
from baseplane.errors import Forbidden, Invalid
from baseplane.resources.postgrest import store, workflows
from baseplane.resources.postgrest.inside import check
from baseplane.resources.postgrest.schemas import (
    PostgrestConfigWithJWTSecretResponse,
    V1PostgrestConfigResponse,
    V1UpdatePostgrestConfigBody,
)
from baseplane.resources.postgrest.store import RestSettings
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.inside import inside
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.store import Project
from baseplane.workflows import queue

router = operations("/v1/projects/{ref}/postgrest", "Rest", route=DirectOperation)

APPLIED_WITHIN = timedelta(seconds=20)
READS_KEYS = permissions.REQUIREMENTS["v1-get-project-api-keys"]
"""The JWT secret is as good as every key of the project: whoever may read those sees it."""


@router.get("", operation_id="v1-get-postgrest-service-config", response_model_exclude_unset=True)
async def get_postgrest_service_config(project: InProject, ctx: Ctx) -> PostgrestConfigWithJWTSecretResponse:
    """Gets project's postgrest config; the JWT secret with it for those who may read the project's API keys."""
    async with ctx.reading() as db:
        settings = await store.find(db, project.ref) or RestSettings()
        hidden = await projects.read_secrets(db, ctx.rt.keyring, project.ref)
    shown = {"jwt_secret": hidden.jwt_secret} if _may_read_keys(ctx) else {}
    return PostgrestConfigWithJWTSecretResponse(**asdict(settings), **shown)


@router.patch("", operation_id="v1-update-postgrest-service-config")
async def update_postgrest_service_config(
    project: InProject, body: V1UpdatePostgrestConfigBody, ctx: Ctx
) -> V1PostgrestConfigResponse:
    """Updates project's postgrest config. A running server takes it before this answers.

    An empty db_schema turns the Data API off; a db_pool of 0 goes by the compute size again.
    """
    sent = body.model_dump(exclude_unset=True)
    if "db_pool" in sent:
        sent["db_pool"] = _pool(project, sent["db_pool"])
    async with inside(ctx, project, Role.ADMIN) as connection:
        await check(connection, replace(RestSettings("", ""), **sent))
    async with ctx.rt.database.transaction() as db:
        await db.execute("select from projects where ref = %s for update", [project.ref])
        settings = replace(await store.find(db, project.ref) or RestSettings(), **sent)
        await store.write(db, project.ref, settings)
        run_id = await queue.start(db, workflows.configure, project.ref, collapse=True)
    ctx.answer_after(run_id, APPLIED_WITHIN)
    return V1PostgrestConfigResponse(**asdict(settings))


def _pool(project: Project, wanted: int) -> int | None:
    """Raises Invalid."""
    most = store.largest_pool(project.size)
    if wanted > most:
        raise Invalid(
            f"db_pool: {wanted} is more than the {most} connections that a project of compute size {project.size} has"
            " for its Data API. Choose less, or a larger compute size."
        )
    return wanted or None


def _may_read_keys(ctx: Context) -> bool:
    try:
        permissions.check_scope(READS_KEYS, ctx.caller)
        permissions.check(READS_KEYS, ctx.caller, ctx.role or permissions.READ_ONLY)
    except Forbidden:
        return False
    return True
