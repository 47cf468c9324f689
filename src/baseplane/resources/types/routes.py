"""Types of a project's tables, views and functions, for clients in TypeScript."""

import asyncio

from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.drivers.cluster import Role
from baseplane.resources.projects.inside import inside
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.types import catalog
from baseplane.resources.types.typescript.document import document

router = operations("/v1/projects/{ref}/types", "Database")


class TypescriptResponse(Body):
    types: str


@router.get("/typescript", operation_id="v1-generate-typescript-types")
async def generate_typescript_types(
    project: InProject, ctx: Ctx, included_schemas: str = "public"
) -> TypescriptResponse:
    """Generates TypeScript types for the schemas named, separated by commas.

    Schemas that are not there are left out; without any, the types are empty.
    """
    wanted = {name.strip() for name in included_schemas.split(",") if "\0" not in name}
    async with inside(ctx, project, Role.READER) as connection:
        found = await catalog.read(connection, sorted(wanted))
    return TypescriptResponse(types=await asyncio.to_thread(document, found))
