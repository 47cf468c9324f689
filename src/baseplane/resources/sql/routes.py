from datetime import timedelta
from typing import Annotated, Any

from fastapi import Response
from pydantic import Field

from baseplane.api.bodies import Body, Text
from baseplane.api.context import Context, Ctx
from baseplane.api.route import DirectOperation, operations
from baseplane.drivers.cluster import Role
from baseplane.resources.projects import store, workflows
from baseplane.resources.projects.inside import inside
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.schemas import V1UpdatePasswordBody, V1UpdatePasswordResponse
from baseplane.resources.projects.status import require_serving
from baseplane.resources.projects.store import Project
from baseplane.resources.sql import execution
from baseplane.workflows import queue

PREFIX = "/v1/projects/{ref}/database"
router = operations(PREFIX, "Database")
direct = operations(PREFIX, "Database", route=DirectOperation)


class V1ReadOnlyQueryBody(Body):
    query: Annotated[Text, Field(min_length=1)]
    parameters: list[Any] | None = None


class V1RunQueryBody(V1ReadOnlyQueryBody):
    read_only: bool | None = None


@direct.post("/query", status_code=201, operation_id="v1-run-a-query", response_class=Response)
async def run_query(project: InProject, body: V1RunQueryBody, ctx: Ctx) -> Response:
    """Run SQL as role postgres; the answer is the last statement's rows."""
    if not body.read_only:
        ctx.insist("database_write")  # the contract lets readers call this, for reading
    return await _run(ctx, project, body, read_only=bool(body.read_only))


@direct.post("/query/read-only", status_code=201, operation_id="v1-read-only-query", response_class=Response)
async def run_read_only_query(project: InProject, body: V1ReadOnlyQueryBody, ctx: Ctx) -> Response:
    """Run SQL as supabase_read_only_user, who may read everything and write nothing."""
    return await _run(ctx, project, body, read_only=True)


async def _run(ctx: Context, project: Project, body: V1ReadOnlyQueryBody, *, read_only: bool) -> Response:
    settings = ctx.rt.settings
    limits = execution.Limits(settings.query_timeout, settings.query_max_rows, settings.query_max_bytes)
    async with inside(ctx, project, Role.READER if read_only else Role.OWNER) as connection:
        rows = await execution.run(connection, body.query, body.parameters, read_only=read_only, limits=limits)
    return Response(rows, 201, media_type="application/json")


@router.patch("/password", operation_id="v1-update-database-password")
async def update_password(project: InProject, body: V1UpdatePasswordBody, ctx: Ctx) -> V1UpdatePasswordResponse:
    """Change the password of role postgres. Sessions that are open stay open."""
    require_serving(project.status)
    await store.set_password(ctx.db, ctx.rt.keyring, project.ref, body.password)
    run_id = await queue.start(ctx.db, workflows.change_password, project.ref, collapse=True)
    ctx.answer_after(run_id, within=timedelta(seconds=20))
    return V1UpdatePasswordResponse(message="Successfully updated password")
