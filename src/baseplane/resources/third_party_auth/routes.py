from uuid import UUID

from baseplane.api.context import Ctx
from baseplane.api.route import DirectOperation, operations
from baseplane.drivers.outbound import outbound
from baseplane.resources.projects import legacy_keys
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.third_party_auth import jwks, store
from baseplane.resources.third_party_auth.discovery import Resolved, resolve
from baseplane.resources.third_party_auth.refreshing import FRESH_FOR
from baseplane.resources.third_party_auth.schemas import CreateThirdPartyAuthBody, ThirdPartyAuth

PREFIX = "/v1/projects/{ref}/config/auth/third-party-auth"
router = operations(PREFIX, "Auth")
direct = operations(PREFIX, "Auth", DirectOperation)


@router.get("", operation_id="v1-list-project-tpa-integrations")
async def list_integrations(project: InProject, ctx: Ctx) -> list[ThirdPartyAuth]:
    """Lists all third-party auth integrations"""
    async with ctx.reading() as db:
        return [ThirdPartyAuth.of(found) for found in await store.list_of(db, project.ref)]


@direct.post("", status_code=201, operation_id="v1-create-project-tpa-integration")
async def create_integration(project: InProject, body: CreateThirdPartyAuthBody, ctx: Ctx) -> ThirdPartyAuth:
    """Creates a new third-party auth integration. The issuer's keys are fetched first; they are kept up to date."""
    if body.custom_jwks is not None:
        resolved = Resolved(jwks.usable(body.custom_jwks))
    else:
        async with outbound(ctx.rt.outbound) as sender:
            resolved = await resolve(sender, body.oidc_issuer_url, body.jwks_url)
    async with ctx.rt.database.transaction() as db:
        await legacy_keys.lock(db, project.ref)
        written = await store.insert(
            db,
            project.ref,
            oidc_issuer_url=body.oidc_issuer_url,
            jwks_url=body.jwks_url,
            custom_jwks=body.custom_jwks,
            resolved=resolved,
            fresh_for=FRESH_FOR,
        )
    return ThirdPartyAuth.of(written)


@router.get("/{tpa_id}", operation_id="v1-get-project-tpa-integration")
async def get_integration(project: InProject, ctx: Ctx, tpa_id: UUID) -> ThirdPartyAuth:
    """Get a third-party integration"""
    async with ctx.reading() as db:
        return ThirdPartyAuth.of(await store.get(db, project.ref, tpa_id))


@router.delete("/{tpa_id}", operation_id="v1-delete-project-tpa-integration")
async def delete_integration(project: InProject, ctx: Ctx, tpa_id: UUID) -> ThirdPartyAuth:
    """Removes a third-party auth integration; its tokens are refused at once."""
    return ThirdPartyAuth.of(await store.delete(ctx.db, project.ref, tpa_id))
