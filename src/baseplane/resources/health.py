"""The health of a project's services: each is asked, at the moment of the request, through the door users take."""

import asyncio
import json
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BeforeValidator

from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.drivers.cluster import Role
from baseplane.drivers.rest import NOT_INSTALLED, SWITCHED_OFF
from baseplane.drivers.rest.public import probe
from baseplane.errors import BaseplaneError
from baseplane.resources.projects import store
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import Project
from baseplane.runtime import Runtime

router = operations("/v1/projects/{ref}/health", "Projects")

Service = Literal["auth", "db", "db_postgres_user", "pooler", "realtime", "rest", "storage", "pg_bouncer"]
ServiceStatus = Literal["COMING_UP", "ACTIVE_HEALTHY", "UNHEALTHY"]

DATABASE: dict[str, Role] = {
    "db": Role.READER,
    "db_postgres_user": Role.OWNER,
    "pooler": Role.OWNER,
    "pg_bouncer": Role.OWNER,
}
"""Services that are answered by the database behind the ingress, and as whom each is asked."""
POOLED = "pg_bouncer"
REST = "rest"
NOT_RUNNING = frozenset({NOT_INSTALLED, SWITCHED_OFF, "SERVICE_NOT_RUNNING"})
"""What the HTTP door's answer has as ``code`` where a service is meant not to run."""
COMING = frozenset({Status.COMING_UP, Status.RESTORING, Status.RESTARTING, Status.RESIZING, Status.UPGRADING})
DEFAULT_TIMEOUT = 2000  # milliseconds


def _split(given: object) -> object:
    """SDKs join the values with commas, the generated clients repeat the parameter (clients.md, section 6)."""
    return [name for value in given for name in str(value).split(",")] if isinstance(given, list) else given


Services = Annotated[list[Service], BeforeValidator(_split), Query()]


class V1ServiceHealthResponse(Body):
    name: Service
    healthy: bool
    status: ServiceStatus
    error: str | None = None


@router.get("", operation_id="v1-get-services-health", response_model_exclude_none=True)
async def get_services_health(
    project: InProject,
    ctx: Ctx,
    services: Services,
    timeout_ms: Annotated[int, Query(ge=0, le=10_000)] = DEFAULT_TIMEOUT,
) -> list[V1ServiceHealthResponse]:
    """Gets the health of the services asked for, comma-separated or repeated."""
    async with ctx.reading() as db:
        secret = (await store.read_secrets(db, ctx.rt.keyring, project.ref)).secret
    within = timeout_ms / 1000
    return list(await asyncio.gather(*(_ask(ctx.rt, project, secret, name, within) for name in services)))


async def _ask(rt: Runtime, project: Project, secret: str, name: Service, within: float) -> V1ServiceHealthResponse:
    role = None if name == POOLED and rt.poolers.version() is None else DATABASE.get(name)
    if name == REST:
        question = probe(f"{rt.settings.url_of(project.ref)}/rest/v1")
    elif role is not None:
        question = rt.door.probe(project.ref, role, secret, pooled=name == POOLED)
    else:
        return _answer(name, "UNHEALTHY", _absent(name, f"{name} is not part of this installation."))
    try:
        async with asyncio.timeout(within):
            await question
    except TimeoutError:
        error = f"No answer within {within * 1000:g} ms."
    except BaseplaneError as failure:
        if failure.extra.get("code") in NOT_RUNNING:
            return _answer(name, "UNHEALTHY", _absent(name, failure.message))
        error = " ".join(filter(None, [project.cause, failure.message]))
    else:
        # What serves is what a restore was to replace: the user has to hear why that failed.
        failed = project.status == Status.RESTORE_FAILED and name == "db"
        return _answer(name, "ACTIVE_HEALTHY", project.cause if failed else None)
    return _answer(name, "COMING_UP" if project.status in COMING else "UNHEALTHY", error)


def _answer(name: Service, status: ServiceStatus, error: str | None = None) -> V1ServiceHealthResponse:
    return V1ServiceHealthResponse(name=name, healthy=status == "ACTIVE_HEALTHY", status=status, error=error)


def _absent(name: str, reason: str) -> str:
    """In the form that the Terraform provider takes for "not there" (clients.md, section 7), with the reason."""
    return json.dumps({"error": f"Failed to retrieve project's {name} service health", "reason": reason})
