from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import WithJsonSchema

from baseplane.api.context import Context, Ctx
from baseplane.api.route import operations
from baseplane.database import Connection
from baseplane.errors import NotFound
from baseplane.resources.projects import store as projects
from baseplane.resources.snippets import cursor as cursors
from baseplane.resources.snippets import store
from baseplane.resources.snippets.cursor import Position, SortBy, Sorting, SortOrder
from baseplane.resources.snippets.schemas import SnippetList, SnippetMeta, SnippetResponse

router = operations("/v1/snippets", "Database")

MAX_LIMIT = 100
FIRST: dict[SortBy, SortOrder] = {"name": "asc", "inserted_at": "desc"}
"""The order by default: names from the first, moments from the newest."""

ProjectRef = Annotated[str | None, Query(min_length=20, max_length=20, pattern=r"^[a-z]+$")]
Limit = Annotated[
    int, Query(ge=1, le=MAX_LIMIT), WithJsonSchema({"type": "string", "minimum": 1, "maximum": MAX_LIMIT})
]
"""A number; the contract calls it a string."""


@router.get("", operation_id="v1-list-all-snippets", response_model_exclude_unset=True)
async def list_snippets(
    ctx: Ctx,
    project_ref: ProjectRef = None,
    cursor: Annotated[str | None, Query()] = None,
    limit: Limit = MAX_LIMIT,
    sort_by: Annotated[SortBy, Query()] = "inserted_at",
    sort_order: Annotated[SortOrder | None, Query()] = None,
) -> SnippetList:
    """Lists SQL snippets for the logged in user: own ones, and those that their organizations share."""
    ctx.authorize_for_self()
    sorting = Sorting(sort_by, sort_order or FIRST[sort_by])
    after = None if cursor is None else cursors.decode(cursor, sorting)
    async with ctx.reading() as db:
        if project_ref is not None:
            await _require_project(ctx, db, project_ref)
        found = await store.page(
            db,
            ctx.caller.user_id,
            project_ref=project_ref,
            organizations=ctx.caller.organizations,
            projects=ctx.caller.projects,
            sorting=sorting,
            after=after,
            limit=limit + 1,  # one more tells whether there is a next page
        )
    data = [SnippetMeta.of(snippet) for snippet in found[:limit]]
    if len(found) <= limit:
        return SnippetList(data=data)
    last = found[limit - 1]
    return SnippetList(data=data, cursor=cursors.encode(sorting, Position(getattr(last, sort_by), last.id)))


async def _require_project(ctx: Context, db: Connection, ref: str) -> None:
    """Raises NotFound: nothing found says less than that there is no such project."""
    project = await projects.get_of_member(db, ref, ctx.caller.user_id)
    if ctx.is_narrowed_to_other(organization=project.organization_slug, project=ref):
        raise NotFound(projects.MISSING)


@router.get("/{id}", operation_id="v1-get-a-snippet")
async def get_snippet(ctx: Ctx, id: UUID) -> SnippetResponse:  # noqa: A002 -- the contract's name
    """Gets a specific SQL snippet, with its text."""
    ctx.authorize_for_self()
    async with ctx.reading() as db:
        snippet, sql = await store.get(db, id, ctx.caller.user_id)
    if ctx.is_narrowed_to_other(organization=snippet.organization_slug, project=snippet.project_ref):
        raise NotFound(store.MISSING)
    return SnippetResponse.with_text(snippet, sql)
