"""Logins with an access token in place of a password (JIT access): who may, as which role, until when, from where."""

from itertools import groupby
from uuid import UUID

from baseplane.api.answers import Empty
from baseplane.api.context import Ctx
from baseplane.api.route import DirectOperation, operations
from baseplane.drivers.cluster import Role
from baseplane.errors import Forbidden, Invalid, NotFound
from baseplane.resources.access import cluster_roles, grants
from baseplane.resources.access.ending import end_now
from baseplane.resources.access.schemas import (
    AuthorizeJitAccessBody,
    JitAccessRequestRequest,
    JitAccessResponse,
    JitAuthorizeAccessResponse,
    JitListAccessResponse,
    JitStateResponse,
    UpdateJitAccessBody,
    UserRole,
)
from baseplane.resources.projects.inside import inside
from baseplane.resources.projects.lookup import InProject

router = operations("/v1/projects/{ref}", "Database", route=DirectOperation)


@router.get("/jit-access", operation_id="v1-get-jit-access-config")
async def get_state(project: InProject, ctx: Ctx) -> JitStateResponse:
    async with ctx.reading() as db:
        state = "enabled" if await grants.is_enabled(db, project.ref) else "disabled"
    return JitStateResponse(state=state, appliedSuccessfully=True)


@router.put("/jit-access", operation_id="v1-update-jit-access-config")
async def update_state(project: InProject, body: JitAccessRequestRequest, ctx: Ctx) -> JitStateResponse:
    """Allow such logins in this project, or end them all; the grants stay."""
    async with ctx.rt.database.transaction() as db:
        await grants.enable(db, project.ref, body.state == "enabled")
    await end_now(ctx.rt, project)
    return JitStateResponse(state=body.state, appliedSuccessfully=True)


@router.get("/database/jit", operation_id="v1-get-jit-access")
async def get_grants(project: InProject, ctx: Ctx) -> JitAccessResponse:
    """Gets what the caller was granted."""
    return await _grants_of(ctx, project.ref, UUID(ctx.caller.user_id))


async def _grants_of(ctx: Ctx, ref: str, user_id: UUID) -> JitAccessResponse:
    async with ctx.reading() as db:
        held = await grants.list_of(db, ref, user_id)
    return JitAccessResponse(user_id=user_id, user_roles=[UserRole.of(grant) for grant in held])


@router.post("/database/jit", operation_id="v1-authorize-jit-access")
async def authorize(project: InProject, body: AuthorizeJitAccessBody, ctx: Ctx) -> JitAuthorizeAccessResponse:
    """Whether the caller may log in as ``role`` from the address ``rhost`` now; 403 says why not."""
    async with ctx.reading() as db:
        refusal = await grants.refusal(db, project.ref, ctx.caller.user_id, body.role, body.rhost)
        grant = await grants.find(db, project.ref, ctx.caller.user_id, body.role)
    if refusal or grant is None:
        raise Forbidden(f"Not authorized: {refusal}.")
    return JitAuthorizeAccessResponse(user_id=UUID(ctx.caller.user_id), user_role=UserRole.of(grant))


@router.put("/database/jit", operation_id="v1-update-jit-access")
async def update_grants(project: InProject, body: UpdateJitAccessBody, ctx: Ctx) -> JitAccessResponse:
    """Give a member these roles and no others. Sessions of roles that are taken away end."""
    async with inside(ctx, project, Role.ADMIN) as cluster:
        possible = await cluster_roles.assumable(cluster)
    for position, role in enumerate(body.roles):
        if role.role not in possible:
            raise Invalid(f"roles.{position}.role: must be one of {', '.join(possible)}")
    async with ctx.rt.database.transaction() as db:
        if not await grants.is_member(db, project.organization_slug, body.user_id):
            raise Invalid("user_id: is no member of the project's organization")
        granted = [role.grant() for role in body.roles]
        await grants.replace(db, ctx.rt.keyring, project.ref, project.organization_slug, body.user_id, granted)
    await end_now(ctx.rt, project)
    return await _grants_of(ctx, project.ref, body.user_id)


@router.get("/database/jit/list", operation_id="v1-list-jit-access")
async def list_grants(project: InProject, ctx: Ctx) -> JitListAccessResponse:
    async with ctx.reading() as db:
        held = await grants.list_all(db, project.ref)
    return JitListAccessResponse(
        items=[
            JitAccessResponse(user_id=user_id, user_roles=[UserRole.of(grant) for grant in of_user])
            for user_id, of_user in groupby(held, key=lambda grant: grant.user_id)
        ]
    )


@router.delete("/database/jit/{user_id}", operation_id="v1-delete-jit-access", response_class=Empty)
async def delete_grants(project: InProject, user_id: UUID, ctx: Ctx) -> Empty:
    """Take all roles from a user; their sessions end."""
    async with ctx.rt.database.transaction() as db:
        if not await grants.delete(db, project.ref, user_id):
            raise NotFound("This user has no temporary access to this project.")
    await end_now(ctx.rt, project)
    return Empty()
