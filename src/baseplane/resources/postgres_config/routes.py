from datetime import timedelta

from baseplane.api.context import Ctx
from baseplane.api.route import DirectOperation, operations
from baseplane.drivers.cluster import Role
from baseplane.errors import Conflict
from baseplane.resources.postgres_config import parameters, store, workflows
from baseplane.resources.postgres_config.schemas import PostgresConfigResponse, UpdatePostgresConfigBody
from baseplane.resources.postgres_config.store import Change
from baseplane.resources.projects import settings
from baseplane.resources.projects.inside import inside
from baseplane.resources.projects.lookup import InProject
from baseplane.workflows import queue

router = operations("/v1/projects/{ref}/config/database/postgres", "Database", route=DirectOperation)

APPLIED_WITHIN = timedelta(seconds=60)


@router.get("", operation_id="v1-get-postgres-config", response_model_exclude_unset=True)
async def get_postgres_config(project: InProject, ctx: Ctx) -> PostgresConfigResponse:
    """Gets what the project overrides of Postgres' settings, as it was sent; settings that wait for a restart too."""
    async with ctx.reading() as db:
        return PostgresConfigResponse.model_validate(await settings.read(db, project.ref))


@router.put("", operation_id="v1-update-postgres-config", response_model_exclude_unset=True)
async def update_postgres_config(
    project: InProject, body: UpdatePostgresConfigBody, ctx: Ctx
) -> PostgresConfigResponse:
    """Replace the project's overrides. Postgres restarts if one needs it, unless restart_database is false.

    Answers when the project serves with them; if it does not, the old ones are back.
    """
    overrides = body.overrides()
    async with inside(ctx, project, Role.ADMIN) as connection:
        await parameters.check(connection, overrides)
    async with ctx.rt.database.transaction() as db:
        await store.insert(db, project.ref, Change(overrides, body.restart_database))
        run_id = await queue.start(db, workflows.configure, project.ref)
    ctx.answer_after(run_id, APPLIED_WITHIN, failure=Conflict)
    return PostgresConfigResponse.model_validate(overrides)
