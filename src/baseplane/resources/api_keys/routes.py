import dataclasses
import hashlib
import logging
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from baseplane.api.bodies import at_most
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.errors import Conflict, Invalid
from baseplane.resources.api_keys.schemas import (
    MASK,
    ApiKeyResponse,
    CreateApiKeyBody,
    LegacyApiKeysResponse,
    UpdateApiKeyBody,
)
from baseplane.resources.projects import api_keys as store
from baseplane.resources.projects import legacy_keys
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.store import Project
from baseplane.resources.signing_keys import store as signing_keys

log = logging.getLogger(__name__)

router = operations("/v1/projects/{ref}/api-keys", "Secrets")

Reveal = Annotated[bool | None, Query(description="Show secret keys whole")]


@router.get("", operation_id="v1-get-project-api-keys")
async def list_api_keys(project: InProject, ctx: Ctx, reveal: Reveal = None) -> list[ApiKeyResponse]:
    """Get the project's API keys; secret ones are shown whole with ``reveal=true``."""
    async with ctx.reading() as db:
        hidden = await projects.read_secrets(db, ctx.rt.keyring, project.ref)
        keys = await store.list_of(db, project.ref)
    legacy = [_legacy(project, role, hidden.jwt_secret, reveal=bool(reveal)) for role in legacy_keys.ROLES]
    return legacy + [ApiKeyResponse.of(key, key.text(ctx.rt.keyring), reveal=bool(reveal)) for key in keys]


def _legacy(project: Project, role: str, jwt_secret: str, *, reveal: bool) -> ApiKeyResponse:
    key = legacy_keys.key(project, role, jwt_secret)
    return ApiKeyResponse(
        api_key=key if reveal or role == "anon" else key[:5] + MASK,
        id=role,
        type="legacy",
        prefix=key[:5],
        name=role,
        description=f"Legacy {role} API key",
        hash=hashlib.sha256(key.encode()).hexdigest(),
        inserted_at=project.created_at,
        updated_at=project.created_at,
    )


@router.post("", status_code=201, operation_id="v1-create-project-api-key")
async def create_api_key(project: InProject, body: CreateApiKeyBody, ctx: Ctx, reveal: Reveal = None) -> ApiKeyResponse:
    """Creates a new API key for the project. A secret one acts as service_role unless its template says otherwise."""
    key, text = await store.insert(
        ctx.db,
        ctx.rt.keyring,
        project.ref,
        type_=body.type,
        name=body.name,
        description=body.description,
        token_claims=(body.secret_jwt_template or store.SERVICE_ROLE) if body.type == "secret" else None,
    )
    return ApiKeyResponse.of(key, text, reveal=bool(reveal))


@router.get("/legacy", operation_id="v1-get-project-legacy-api-keys")
async def get_legacy_api_keys(project: InProject, ctx: Ctx) -> LegacyApiKeysResponse:
    """Check whether JWT based legacy (anon, service_role) API keys are enabled."""
    async with ctx.reading() as db:
        return LegacyApiKeysResponse(enabled=await legacy_keys.are_enabled(db, project.ref))


@router.put("/legacy", operation_id="v1-update-project-legacy-api-keys")
async def update_legacy_api_keys(
    project: InProject, ctx: Ctx, enabled: Annotated[bool, Query()]
) -> LegacyApiKeysResponse:
    """Disable or re-enable JWT based legacy (anon, service_role) API keys. Disabled ones are refused at once."""
    await legacy_keys.lock(ctx.db, project.ref)
    signing = await signing_keys.find_legacy(ctx.db, project.ref)
    if enabled and signing is not None and signing.status == "revoked":
        raise Conflict(
            f"The legacy API keys are signed with the JWT secret, which is revoked (signing key {signing.id})."
            " Move that key back to standby first."
        )
    await legacy_keys.enable(ctx.db, project.ref, enabled=enabled)
    return LegacyApiKeysResponse(enabled=enabled)


@router.get("/{id}", operation_id="v1-get-project-api-key")
async def get_api_key(project: InProject, ctx: Ctx, id: UUID, reveal: Reveal = None) -> ApiKeyResponse:  # noqa: A002
    """Get API key"""
    async with ctx.reading() as db:
        key = await store.get(db, project.ref, id)
    return ApiKeyResponse.of(key, key.text(ctx.rt.keyring), reveal=bool(reveal))


@router.patch("/{id}", operation_id="v1-update-project-api-key")
async def update_api_key(
    project: InProject,
    body: UpdateApiKeyBody,
    ctx: Ctx,
    id: UUID,  # noqa: A002
    reveal: Reveal = None,
) -> ApiKeyResponse:
    """Updates an API key for the project. The key itself stays the same."""
    await legacy_keys.lock(ctx.db, project.ref)
    key = await store.get(ctx.db, project.ref, id)
    given = body.model_fields_set
    if key.type == "publishable" and body.secret_jwt_template is not None:
        raise Invalid("secret_jwt_template: is for secret keys; a publishable key always acts as anon.")
    if "name" in given and body.name is None:
        raise Invalid("name: must not be null; leave it out to keep it.")
    changed = dataclasses.replace(
        key,
        name=body.name or key.name,
        description=body.description if "description" in given else key.description,
        token_claims=body.secret_jwt_template or _kept_claims(key, reset="secret_jwt_template" in given),
    )
    written = await store.update(ctx.db, changed)
    return ApiKeyResponse.of(written, written.text(ctx.rt.keyring), reveal=bool(reveal))


def _kept_claims(key: store.ApiKey, *, reset: bool) -> dict[str, Any] | None:
    return store.SERVICE_ROLE if reset and key.type == "secret" else key.token_claims


@router.delete("/{id}", operation_id="v1-delete-project-api-key")
async def delete_api_key(
    project: InProject,
    ctx: Ctx,
    id: UUID,  # noqa: A002
    reveal: Reveal = None,
    was_compromised: Annotated[bool | None, Query()] = None,
    reason: Annotated[Annotated[str, at_most(1000)] | None, Query()] = None,
) -> ApiKeyResponse:
    """Deletes an API key for the project; it is refused at once. The reason goes into the log of the platform."""
    key = await store.delete(ctx.db, project.ref, id)
    log.log(
        logging.WARNING if was_compromised else logging.INFO,
        "API key %s (%s %s) of project %s was deleted by user %s; compromised: %s; reason: %r",
        *(key.id, key.type, key.name, project.ref, ctx.caller.user_id, bool(was_compromised), reason),
    )
    return ApiKeyResponse.of(key, key.text(ctx.rt.keyring), reveal=bool(reveal))
