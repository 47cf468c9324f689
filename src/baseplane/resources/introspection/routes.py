import asyncio
from typing import Annotated

import orjson
from fastapi import Query, Response

from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.drivers.cluster import Role
from baseplane.errors import Invalid
from baseplane.resources.introspection import catalog
from baseplane.resources.introspection.document import document
from baseplane.resources.projects.exposed import EXPOSED_SCHEMAS
from baseplane.resources.projects.inside import inside
from baseplane.resources.projects.lookup import InProject

router = operations("/v1/projects/{ref}/database", "Database")


class DatabaseSchema(Body):
    name: str


class ProjectDatabase(Body):
    name: str
    schemas: list[DatabaseSchema]


class GetProjectDbMetadataResponse(Body):
    databases: list[ProjectDatabase]


@router.get("/context", operation_id="v1-get-database-metadata", deprecated=True)
async def get_database_metadata(project: InProject, ctx: Ctx) -> GetProjectDbMetadataResponse:
    """Gets database metadata for the given project: the names of its schemas, without those of Postgres itself."""
    async with inside(ctx, project, Role.READER) as db:
        name, schemas = await catalog.read_schemas(db)
    found = ProjectDatabase(name=name, schemas=[DatabaseSchema(name=schema) for schema in schemas])
    return GetProjectDbMetadataResponse(databases=[found])


@router.get("/openapi", operation_id="v1-get-database-openapi", response_class=Response)
async def get_database_openapi(
    project: InProject, ctx: Ctx, schema: Annotated[str, Query()] = EXPOSED_SCHEMAS[0]
) -> Response:
    """Get PostgREST OpenAPI spec: OpenAPI 2.0, of what service_role sees in a schema that the Data API exposes."""
    if schema not in EXPOSED_SCHEMAS:
        raise Invalid(f"schema: is none that the Data API exposes; those are {', '.join(EXPOSED_SCHEMAS)}.")
    async with inside(ctx, project, Role.READER) as db:
        found = await catalog.read(db, schema)
    host = f"{project.ref}.{ctx.rt.settings.project_host}"
    text = await asyncio.to_thread(lambda: orjson.dumps(document(found, host)))
    return Response(text, media_type="application/json")
