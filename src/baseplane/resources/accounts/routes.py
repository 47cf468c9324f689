from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import operations

router = operations("/v1/profile", "Profile")


class V1ProfileResponse(Body):
    gotrue_id: str
    primary_email: str
    username: str


@router.get("", operation_id="v1-get-profile")
async def get_profile(ctx: Ctx) -> V1ProfileResponse:
    """Gets the user's profile."""
    return V1ProfileResponse(gotrue_id=ctx.caller.user_id, primary_email=ctx.caller.email, username=ctx.caller.name)
