import asyncio
from uuid import UUID, uuid4

from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.errors import Conflict, NotFound
from baseplane.resources.projects import legacy_keys
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.signing_keys import lifecycle, material, store
from baseplane.resources.signing_keys.schemas import (
    CreateSigningKeyBody,
    SigningKeyResponse,
    SigningKeysResponse,
    UpdateSigningKeyBody,
)

router = operations("/v1/projects/{ref}/config/auth/signing-keys", "Auth")

NO_LEGACY = (
    "The JWT secret is not set up as a signing key; it signs and is accepted all the same. POST here sets it up."
)


@router.get("", operation_id="v1-get-project-signing-keys")
async def list_signing_keys(project: InProject, ctx: Ctx) -> SigningKeysResponse:
    """List all signing keys for the project, the oldest first."""
    async with ctx.reading() as db:
        keys = await store.list_of(db, project.ref)
    return SigningKeysResponse(keys=[SigningKeyResponse.of(key) for key in keys])


@router.post("", status_code=201, operation_id="v1-create-project-signing-key")
async def create_signing_key(project: InProject, body: CreateSigningKeyBody, ctx: Ctx) -> SigningKeyResponse:
    """Create a new signing key for the project in standby status, or in use at once if asked for."""
    given = body.private_jwk
    kid = (given and given.kid) or uuid4()
    if given is None:
        made = await asyncio.to_thread(material.generate, body.algorithm, kid)
    else:
        made = material.take_over(given.model_dump(exclude_none=True), kid)
    await legacy_keys.lock(ctx.db, project.ref)
    return SigningKeyResponse.of(await store.insert(ctx.db, ctx.rt.keyring, project.ref, made, status=body.status))


@router.get("/legacy", operation_id="v1-get-legacy-signing-key")
async def get_legacy_signing_key(project: InProject, ctx: Ctx) -> SigningKeyResponse:
    """Get the signing key information for the JWT secret imported as signing key for this project."""
    async with ctx.reading() as db:
        key = await store.find_legacy(db, project.ref)
    if key is None:
        raise NotFound(NO_LEGACY)
    return SigningKeyResponse.of(key)


@router.post("/legacy", status_code=201, operation_id="v1-create-legacy-signing-key")
async def create_legacy_signing_key(project: InProject, ctx: Ctx) -> SigningKeyResponse:
    """Set up the project's existing JWT secret as an in_use JWT signing key; previously_used if another key is in use."""
    await legacy_keys.lock(ctx.db, project.ref)
    keys = await store.list_of(ctx.db, project.ref)
    if any(key.is_legacy for key in keys):
        raise Conflict("The JWT secret is set up as a signing key already.")
    hidden = await projects.read_secrets(ctx.db, ctx.rt.keyring, project.ref)
    status: lifecycle.Status = "previously_used" if any(key.status == "in_use" for key in keys) else "in_use"
    made = material.shared(hidden.jwt_secret, uuid4())
    key = await store.insert(ctx.db, ctx.rt.keyring, project.ref, made, status=status, is_legacy=True)
    return SigningKeyResponse.of(key)


@router.get("/{id}", operation_id="v1-get-project-signing-key")
async def get_signing_key(project: InProject, ctx: Ctx, id: UUID) -> SigningKeyResponse:  # noqa: A002
    """Get information about a signing key"""
    async with ctx.reading() as db:
        return SigningKeyResponse.of(await store.get(db, project.ref, id))


@router.patch("/{id}", operation_id="v1-update-project-signing-key")
async def update_signing_key(
    project: InProject,
    body: UpdateSigningKeyBody,
    ctx: Ctx,
    id: UUID,  # noqa: A002
) -> SigningKeyResponse:
    """Update a signing key, mainly its status. Putting one in use makes the one before it previously_used."""
    await legacy_keys.lock(ctx.db, project.ref)
    key = await store.get(ctx.db, project.ref, id)
    if body.status == key.status:
        return SigningKeyResponse.of(key)
    lifecycle.check_move(key.status, body.status)
    if key.is_legacy and body.status == "revoked" and await legacy_keys.are_enabled(ctx.db, project.ref):
        raise Conflict(
            "status: the legacy API keys anon and service_role are signed with this key. Disable them first:"
            f" PUT /v1/projects/{project.ref}/api-keys/legacy?enabled=false."
        )
    return SigningKeyResponse.of(await store.move(ctx.db, key, body.status))


@router.delete("/{id}", operation_id="v1-remove-project-signing-key")
async def remove_signing_key(project: InProject, ctx: Ctx, id: UUID) -> SigningKeyResponse:  # noqa: A002
    """Remove a signing key from a project. Only possible if the key has been in revoked status for a while."""
    await legacy_keys.lock(ctx.db, project.ref)
    key = await store.get(ctx.db, project.ref, id)
    if key.is_legacy:
        raise Conflict("The JWT secret belongs to the project: as a signing key it can be revoked, not removed.")
    lifecycle.check_removal(key.status, key.updated_at)
    await store.delete(ctx.db, key)
    return SigningKeyResponse.of(key)
