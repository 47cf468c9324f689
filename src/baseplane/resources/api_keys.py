"""A project's API keys: the legacy pair, JWTs signed with the project's own secret."""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from joserfc import jwt
from joserfc.jwk import OctKey

from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.resources.projects import store
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.store import Project

router = operations("/v1/projects/{ref}/api-keys", "Secrets")

TEN_YEARS = 10 * 365 * 24 * 3600  # seconds
LEGACY = (
    ("anon", "Legacy anon API key"),
    ("service_role", "Legacy service_role API key"),
)
PUBLIC = frozenset({"anon"})
"""Keys that are meant to be seen; of the others only the beginning is shown unless they are to be revealed."""


class ApiKeyResponse(Body):
    api_key: str | None
    id: str | None
    type: Literal["legacy", "publishable", "secret"] | None
    prefix: str | None = None
    name: str
    description: str | None = None
    hash: str | None = None
    secret_jwt_template: dict[str, Any] | None = None
    inserted_at: datetime | None = None
    updated_at: datetime | None = None


def legacy_key(project: Project, role: str, jwt_secret: str) -> str:
    """The JWT for ``role``; the same at every call, since it is computed from what the project is."""
    issued = int(project.created_at.timestamp())
    claims = {"iss": "supabase", "ref": project.ref, "role": role, "iat": issued, "exp": issued + TEN_YEARS}
    return jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key(jwt_secret.encode()))


@router.get("", operation_id="v1-get-project-api-keys")
async def list_api_keys(
    project: InProject, ctx: Ctx, reveal: Annotated[bool | None, Query()] = None
) -> list[ApiKeyResponse]:
    """Get the project's API keys; secret ones are shown whole with ``reveal=true``."""
    async with ctx.reading() as db:
        hidden = await store.read_secrets(db, ctx.rt.keyring, project.ref)
    return [_response(project, role, text, hidden.jwt_secret, reveal=bool(reveal)) for role, text in LEGACY]


def _response(project: Project, role: str, description: str, jwt_secret: str, *, reveal: bool) -> ApiKeyResponse:
    key = legacy_key(project, role, jwt_secret)
    return ApiKeyResponse(
        api_key=key if reveal or role in PUBLIC else key[:5] + "·" * 16,
        id=role,
        type="legacy",
        prefix=key[:5],
        name=role,
        description=description,
        hash=hashlib.sha256(key.encode()).hexdigest(),
        inserted_at=project.created_at,
        updated_at=project.created_at,
    )
