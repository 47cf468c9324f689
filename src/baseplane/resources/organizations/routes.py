from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.resources.organizations import store
from baseplane.resources.organizations.entitlements import ROWS, entitlement
from baseplane.resources.organizations.lookup import InOrganization
from baseplane.resources.organizations.schemas import (
    CreateOrganizationV1,
    OrganizationResponseV1,
    V1ListEntitlementsResponse,
    V1OrganizationMemberResponse,
    V1OrganizationSlugResponse,
)

router = operations("/v1/organizations", "Organizations")


@router.get("", operation_id="v1-list-all-organizations")
async def list_organizations(ctx: Ctx) -> list[OrganizationResponseV1]:
    """List the organizations that you are a member of."""
    ctx.authorize_for_self()
    async with ctx.reading() as db:
        memberships = await store.list_of(db, ctx.caller.user_id)
    return [
        OrganizationResponseV1(id=membership.slug, slug=membership.slug, name=membership.name)
        for membership in memberships
        if not ctx.is_narrowed_to_other(organization=membership.slug)
    ]


@router.post("", status_code=201, operation_id="v1-create-an-organization")
async def create_organization(body: CreateOrganizationV1, ctx: Ctx) -> OrganizationResponseV1:
    """Create an organization; you become its owner."""
    ctx.authorize_for_self()
    organization = await store.insert(ctx.db, body.name, ctx.caller.user_id)
    return OrganizationResponseV1(id=organization.slug, slug=organization.slug, name=organization.name)


@router.get("/{slug}", operation_id="v1-get-an-organization")
async def get_organization(organization: InOrganization) -> V1OrganizationSlugResponse:
    """Gets information about the organization."""
    return V1OrganizationSlugResponse(
        id=organization.slug, name=organization.name, plan="free", opt_in_tags=[], allowed_release_channels=["ga"]
    )


@router.get("/{slug}/members", operation_id="v1-list-organization-members")
async def list_members(organization: InOrganization, ctx: Ctx) -> list[V1OrganizationMemberResponse]:
    """List members of an organization."""
    async with ctx.reading() as db:
        members = await store.members(db, organization.slug)
    return [
        V1OrganizationMemberResponse(
            user_id=str(member.user_id),
            user_name=member.name,
            email=member.email,
            role_name=member.role,
            mfa_enabled=False,
        )
        for member in members
    ]


@router.get("/{slug}/entitlements", operation_id="v1-get-organization-entitlements")
async def list_entitlements(_organization: InOrganization) -> V1ListEntitlementsResponse:
    """Get entitlements for an organization: what this installation can do."""
    return V1ListEntitlementsResponse(entitlements=[entitlement(row) for row in ROWS])
