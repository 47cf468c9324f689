"""Functions of a project. What is deployed answers only once it has loaded; until then, the version before it serves."""

from typing import Annotated

from fastapi import Body as InBody
from fastapi import Path, Query, Response

from baseplane.api.answers import Empty
from baseplane.api.context import Ctx
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
from baseplane.resources.functions.source import Packed
from baseplane.resources.functions.store import New
from baseplane.resources.projects.lookup import InProject
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
    ctx: Ctx,
    slug: Annotated[Slug | None, Query()] = None,
    bundle_only: Annotated[bool, Query(alias="bundleOnly")] = False,
) -> DeployFunctionResponse:
    """Deploy a function, or a new version of it, made if need be. With bundleOnly it waits to be activated in bulk.

    Settings that the metadata does not give stay as they are. Without a slug, the name in the metadata is it.
    """
    metadata, packed = await uploads.read_form(ctx)
    slug = _required(slug or metadata.name)
    new = New(slug, metadata.name, metadata.verify_jwt, packed, goes_live=not bundle_only)
    return DeployFunctionResponse.of(await deploy(ctx, project, new))


@router.post(
    "",
    status_code=201,
    operation_id="v1-create-a-function",
    response_model_exclude_none=True,
    openapi_extra=uploads.document(json=V1CreateFunctionBody),
)
async def create_function(
    project: InProject,
    ctx: Ctx,
    asked: InQuery,
) -> FunctionResponse:
    """Creates a function from its source as JSON, or from a bundle that the CLI made."""
    if uploads.is_eszip(ctx):
        packed = await uploads.read_bundle(ctx, asked)
        new = New(_required(asked.slug), asked.name, asked.verify_jwt, packed)
    else:
        given = uploads.parse(V1CreateFunctionBody, await ctx.body())
        new = New(given.slug, given.name, given.verify_jwt, uploads.from_text(given.body))
    return FunctionResponse.of(await deploy(ctx, project, new, is_first=True))


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
    ctx: Ctx,
    asked: InQuery,
) -> FunctionResponse:
    """Change a function's settings, or deploy a new version of it from JSON or from a bundle that the CLI made."""
    async with ctx.reading() as db:
        function = await store.get(db, project.ref, slug)
    if uploads.is_eszip(ctx):
        given = V1UpdateFunctionBody()
        packed: Packed | None = await uploads.read_bundle(ctx, asked)
    else:
        given = uploads.parse(V1UpdateFunctionBody, await ctx.body() or b"{}")
        packed = uploads.from_text(given.body) if given.body is not None else None
    name = given.name or asked.name
    verify_jwt = asked.verify_jwt if given.verify_jwt is None else given.verify_jwt
    if packed is not None:
        if asked.slug not in (None, slug):
            raise Invalid("slug: is changed by a request of its own, without a body.")
        return FunctionResponse.of(await deploy(ctx, project, New(slug, name, verify_jwt, packed)))
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
async def get_function_body(project: InProject, slug: InSlug, ctx: Ctx) -> Response:
    """Retrieves a function: all its files for who asks for multipart/form-data, else its entrypoint or its bundle."""
    async with ctx.reading() as db:
        function = await store.get(db, project.ref, slug)
    if function.format == "eszip" and uploads.MULTIPART not in ctx.headers.get("accept", ""):
        return body.bundle(await artifacts.read_packed(ctx.rt.artifacts, function))
    files = await artifacts.read(ctx.rt.artifacts, function)
    if uploads.MULTIPART in ctx.headers.get("accept", ""):
        return body.whole(function, files)
    return body.entrypoint(function, files)


def _required(slug: str | None) -> str:
    if not slug:
        raise Invalid("slug: is required")
    return slug
