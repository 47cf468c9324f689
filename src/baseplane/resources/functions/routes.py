"""Functions of a project. What is deployed answers only once it has loaded; until then, the version before it serves."""

import asyncio
from typing import Annotated

from fastapi import Body as InBody
from fastapi import Path, Query, Request, Response

from baseplane.api.answers import Empty
from baseplane.api.context import Context, Ctx
from baseplane.api.route import Upload, operations
from baseplane.errors import Invalid
from baseplane.resources.functions import artifacts, body, bulk, store, uploads, workflows
from baseplane.resources.functions.deploying import deploy
from baseplane.resources.functions.schemas import (
    AnySlug,
    BulkUpdateFunction,
    BulkUpdateFunctionResponse,
    DeployFunctionResponse,
    FunctionParameters,
    FunctionResponse,
    FunctionSlugResponse,
    Slug,
    V1CreateFunctionBody,
    V1UpdateFunctionBody,
)
from baseplane.resources.functions.source import Source, pack
from baseplane.resources.functions.store import Function, New
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.store import Project
from baseplane.workflows import queue

router = operations("/v1/projects/{ref}/functions", "Edge Functions", route=Upload)

InSlug = Annotated[AnySlug, Path(alias="function_slug")]
InQuery = Annotated[FunctionParameters, Query()]
AT_ONCE = 1000


@router.get("", operation_id="v1-list-all-functions", response_model_exclude_none=True)
async def list_functions(project: InProject, ctx: Ctx) -> list[FunctionResponse]:
    """Returns all functions that serve, the oldest first."""
    async with ctx.reading() as db:
        return [FunctionResponse.of(function) for function in await store.list_of(db, project.ref)]


@router.post(
    "/deploy",
    status_code=201,
    operation_id="v1-deploy-a-function",
    response_model_exclude_none=True,
    openapi_extra=uploads.document(),
)
async def deploy_function(
    project: InProject,
    request: Request,
    ctx: Ctx,
    slug: Annotated[Slug | None, Query()] = None,
    bundle_only: Annotated[bool, Query(alias="bundleOnly")] = False,
) -> DeployFunctionResponse:
    """Deploy a function, or a new version of it, made if need be. With bundleOnly it waits to be activated in bulk.

    Settings that the metadata does not give stay as they are. Without a slug, the name in the metadata is it.
    """
    metadata, source = await uploads.read_form(request)
    slug = _required(slug or metadata.name)
    packed, digest = await asyncio.to_thread(pack, source)
    new = New.of(source, digest, slug=slug, name=metadata.name, verify_jwt=metadata.verify_jwt, live=not bundle_only)
    return DeployFunctionResponse.of(await deploy(ctx, project, new, packed))


@router.post(
    "",
    status_code=201,
    operation_id="v1-create-a-function",
    response_model_exclude_none=True,
    openapi_extra=uploads.document(json=V1CreateFunctionBody),
)
async def create_function(
    project: InProject,
    request: Request,
    ctx: Ctx,
    asked: InQuery,  # noqa: ARG001
) -> FunctionResponse:
    """Creates a function from its source as JSON, or from a bundle that the CLI made."""
    given = uploads.parse(V1CreateFunctionBody, await request.body())
    source = uploads.from_text(given.body)
    return FunctionResponse.of(
        await _deploy(ctx, project, source, given.slug, given.name, given.verify_jwt, is_first=True)
    )


async def _deploy(
    ctx: Context,
    project: Project,
    source: Source,
    slug: str,
    name: str | None,
    verify_jwt: bool | None,
    *,
    is_first: bool = False,
) -> Function:
    packed, digest = await asyncio.to_thread(pack, source)
    new = New.of(source, digest, slug=slug, name=name, verify_jwt=verify_jwt, live=True)
    return await deploy(ctx, project, new, packed, is_first=is_first)


@router.put("", operation_id="v1-bulk-update-functions", response_model_exclude_none=True)
async def bulk_update_functions(
    project: InProject, given: Annotated[list[BulkUpdateFunction], InBody(max_length=AT_ONCE)], ctx: Ctx
) -> BulkUpdateFunctionResponse:
    """Let these versions serve, and remove those functions that are REMOVED: all in one moment, or none."""
    async with ctx.rt.database.transaction() as db:
        await store.lock(db, project.ref)
        functions = [await bulk.change(db, project.ref, each) for each in bulk.distinct(given)]
        await queue.start(db, workflows.apply, project.ref, collapse=True)
    return BulkUpdateFunctionResponse(functions=functions)


@router.get("/{function_slug}", operation_id="v1-get-a-function", response_model_exclude_none=True)
async def get_function(project: InProject, slug: InSlug, ctx: Ctx) -> FunctionSlugResponse:
    """Retrieves a function with the specified slug and project."""
    async with ctx.reading() as db:
        return FunctionSlugResponse.of(await store.get(db, project.ref, slug))


@router.patch(
    "/{function_slug}",
    operation_id="v1-update-a-function",
    response_model_exclude_none=True,
    openapi_extra=uploads.document(json=V1UpdateFunctionBody),
)
async def update_function(
    project: InProject,
    slug: InSlug,
    request: Request,
    ctx: Ctx,
    asked: InQuery,
) -> FunctionResponse:
    """Change a function's settings, or deploy a new version of it from JSON or from a bundle that the CLI made."""
    async with ctx.reading() as db:
        function = await store.get(db, project.ref, slug)
    given = uploads.parse(V1UpdateFunctionBody, await request.body() or b"{}")
    name = given.name or asked.name
    verify_jwt = asked.verify_jwt if given.verify_jwt is None else given.verify_jwt
    if given.body is not None:
        await _deploy(ctx, project, uploads.from_text(given.body), slug, name, verify_jwt)
    async with ctx.rt.database.transaction() as db:
        await store.update(db, function.id, slug=asked.slug, name=name, verify_jwt=verify_jwt)
        return FunctionResponse.of(await store.get(db, project.ref, asked.slug or slug))


@router.delete("/{function_slug}", operation_id="v1-delete-a-function", response_class=Empty)
async def delete_function(project: InProject, slug: InSlug, ctx: Ctx) -> Empty:
    """Deletes a function with the specified slug from the specified project. From this answer on, it does not serve."""
    async with ctx.rt.database.transaction() as db:
        await store.lock(db, project.ref)
        await store.remove(db, (await store.get(db, project.ref, slug)).id)
        await queue.start(db, workflows.apply, project.ref, collapse=True)
    return Empty()


@router.get("/{function_slug}/body", operation_id="v1-get-a-function-body", response_class=Response)
async def get_function_body(project: InProject, slug: InSlug, request: Request, ctx: Ctx) -> Response:
    """Retrieves the source of a function: every file where multipart/form-data is asked for, else its entrypoint."""
    async with ctx.reading() as db:
        function = await store.get(db, project.ref, slug)
    files = await artifacts.read(ctx.rt.artifacts, function)
    if uploads.MULTIPART in request.headers.get("accept", ""):
        return body.whole(function, files)
    return body.entrypoint(function, files)


def _required(slug: str | None) -> str:
    if not slug:
        raise Invalid("slug: is required")
    return slug
