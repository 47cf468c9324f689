from baseplane.api.answers import Empty
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.drivers.cluster import Role
from baseplane.resources.projects.inside import inside
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.webhooks import outbox, store

router = operations("/v1/projects/{ref}/database/webhooks", "Database")


@router.post("/enable", status_code=201, operation_id="v1-enable-database-webhook", response_class=Empty)
async def enable_database_webhook(project: InProject, ctx: Ctx) -> Empty:
    """Make the schemas net and supabase_functions and serve their requests from now on. A second time updates them."""
    await store.insert(ctx.db, project.ref)
    async with inside(ctx, project, Role.ADMIN) as connection:
        await outbox.enable(connection)
    return Empty(status_code=201)
