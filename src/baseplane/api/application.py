"""The ASGI application: routers under one roof, its OpenAPI document, and an API page that needs no internet."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.middleware.gzip import GZipMiddleware

from baseplane.api import answers, front, permissions
from baseplane.api.edge import Edge
from baseplane.api.index import Index
from baseplane.api.requests import Requests
from baseplane.api.route import Upload

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

DESCRIPTION = "Manage organizations and projects, each a Postgres cluster of its own, on your own machines."


def build(edge: Edge, routers: Iterable[APIRouter], lifespan: Lifespan, version: str) -> FastAPI:
    app = FastAPIOffline(
        title="Baseplane Management API",
        description=DESCRIPTION,
        version=version,
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
        separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.edge = edge
    routers = tuple(routers)
    for router in routers:  # their routes have whole paths; include_router would match each request twice
        app.router.routes.extend(router.routes)
    app.router.routes.insert(0, Index(app.router.routes))
    app.add_api_route("/health", _alive(edge), include_in_schema=False)
    introduce = front.introduction(app.title, DESCRIPTION, version)
    for path in ("/", "/v1"):
        app.add_api_route(path, introduce, methods=["GET", "HEAD"], include_in_schema=False)
    answers.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5, exclude_content_types=())
    uploads = [route for router in routers for route in router.routes if isinstance(route, Upload)]
    app.add_middleware(Requests, max_body=edge.rt.settings.max_body, uploads=uploads, meter=edge.meter)
    app.openapi = lambda: app.openapi_schema or _describe(app)  # type: ignore[method-assign]
    return app


def _alive(edge: Edge) -> Callable[[], Awaitable[dict[str, str]]]:
    async def alive() -> dict[str, str]:
        """For supervisors and load balancers: this process serves, and its database answers."""
        async with edge.rt.database.connection() as db:
            await db.execute("select 1")
        return {"status": "ok"}

    return alive


def _describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with what the edge enforces: the bearer token, scopes and permissions."""
    document = FastAPI.openapi(app)
    document.setdefault("components", {})["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for route in app.routes:
        if isinstance(route, APIRoute) and route.operation_id:
            requirement = permissions.REQUIREMENTS[route.operation_id]
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                operation["responses"].pop("422", None)
                operation["x-oauth-scope"] = requirement.scope
                operation["x-fga-permissions"] = [sorted(needed) for needed in requirement.permissions]
                if not requirement.public:
                    operation["security"] = [{"bearer": []}]
    app.openapi_schema = document
    return document
