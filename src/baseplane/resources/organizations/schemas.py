from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from baseplane.api.bodies import Body, ClosedBody, without_null


def not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


Name = Annotated[str, Field(max_length=256), AfterValidator(without_null), AfterValidator(not_blank)]


class CreateOrganizationV1(ClosedBody):
    name: Name


class OrganizationResponseV1(Body):
    """``id`` equals ``slug``: clients compare it with the organization_id of projects."""

    id: str
    slug: str
    name: str


class V1OrganizationSlugResponse(Body):
    id: str
    name: str
    plan: Literal["free", "pro", "team", "enterprise", "platform"]
    opt_in_tags: list[Literal["AI_SQL_GENERATOR_OPT_IN", "AI_DATA_GENERATOR_OPT_IN", "AI_LOG_GENERATOR_OPT_IN"]]
    allowed_release_channels: list[Literal["internal", "alpha", "beta", "ga", "withdrawn", "preview"]]


class V1OrganizationMemberResponse(Body):
    user_id: str
    user_name: str
    email: str
    role_name: str
    mfa_enabled: bool


class Feature(Body):
    key: str
    type: Literal["boolean", "numeric", "set"]


class BooleanConfig(Body):
    enabled: bool


class NumericConfig(Body):
    enabled: bool
    value: float
    unlimited: bool
    unit: str


class SetConfig(Body):
    enabled: bool
    set: list[str]


class Entitlement(Body):
    feature: Feature
    hasAccess: bool
    type: Literal["boolean", "numeric", "set"]
    config: NumericConfig | SetConfig | BooleanConfig


class V1ListEntitlementsResponse(Body):
    entitlements: list[Entitlement]
