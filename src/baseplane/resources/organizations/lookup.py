"""How ``{slug}`` becomes an organization: found, the caller a member, the operation permitted."""

from typing import Annotated

from fastapi import Depends, Path

from baseplane.api.context import Context, Ctx
from baseplane.errors import NotFound
from baseplane.resources.organizations import store
from baseplane.resources.organizations.store import Membership


async def enter(ctx: Context, slug: str) -> Membership:
    """Raises NotFound, Forbidden."""
    if ctx.is_narrowed_to_other(organization=slug):
        raise NotFound(store.MISSING)
    membership = await ctx.look_up(store.find_of_members, (slug, ctx.caller.user_id))
    if membership is None:
        raise NotFound(store.MISSING)
    ctx.authorize(membership.role)
    return membership


async def _organization(ctx: Ctx, slug: Annotated[str, Path(pattern=r"^[\w-]+$")]) -> Membership:
    return await enter(ctx, slug)


InOrganization = Annotated[Membership, Depends(_organization)]
