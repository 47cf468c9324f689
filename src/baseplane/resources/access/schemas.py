"""The bodies of temporary access, as the contract has them."""

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from baseplane.api.bodies import Body, Text, at_most
from baseplane.resources.access.grants import Grant

MAX_ROLES = 50
MAX_NETWORKS = 200
LAST = 253_402_300_799_000
"""Milliseconds to the end of the year 9999."""


def in_future(milliseconds: float) -> float:
    if not datetime.now(UTC).timestamp() * 1000 < milliseconds <= LAST:
        raise ValueError("must be a time in the future, in milliseconds since 1970")
    return milliseconds


def _network(version: Literal[4, 6]) -> AfterValidator:
    def check(text: str) -> str:
        try:
            found = ip_network(text).version
        except ValueError as error:
            raise ValueError(
                f"is not a network such as {'10.0.0.0/8' if version == 4 else '2001:db8::/32'}: {error}"
            ) from error
        if found != version:
            raise ValueError(f"is a network of IPv{found}; this list is for IPv{version}")
        return text

    return AfterValidator(check)


def address(text: str) -> str:
    try:
        ip_address(text)
    except ValueError as error:
        raise ValueError("must be an IP address") from error
    return text


class Network4(Body):
    cidr: Annotated[str, _network(4)]


class Network6(Body):
    cidr: Annotated[str, _network(6)]


class AllowedNetworks(Body):
    allowed_cidrs: Annotated[list[Network4], Field(max_length=MAX_NETWORKS)] | None = None
    allowed_cidrs_v6: Annotated[list[Network6], Field(max_length=MAX_NETWORKS)] | None = None


class UserRole(Body):
    """An entry of ``user_roles``. ``expires_at`` is in milliseconds since 1970."""

    role: Annotated[Text, Field(min_length=1), at_most(63)]
    expires_at: float | None = None
    allowed_networks: AllowedNetworks | None = None
    branches_only: bool | None = None

    @classmethod
    def of(cls, grant: Grant) -> dict[str, Any]:
        """Without what was not given."""
        ends = grant.expires_at and grant.expires_at.timestamp() * 1000
        fields = {"role": grant.role, "expires_at": ends, "allowed_networks": grant.allowed_networks}
        fields["branches_only"] = grant.branches_only
        return {name: field for name, field in fields.items() if field is not None}


class NewUserRole(UserRole):
    expires_at: Annotated[float, AfterValidator(in_future)] | None = None

    def grant(self) -> Grant:
        expires_at = None if self.expires_at is None else datetime.fromtimestamp(self.expires_at / 1000, UTC)
        networks = self.allowed_networks.model_dump(exclude_none=True) if self.allowed_networks else None
        return Grant(self.role, expires_at, networks, self.branches_only)


def each_once(roles: list[NewUserRole]) -> list[NewUserRole]:
    if len({role.role for role in roles}) < len(roles):
        raise ValueError("must name each role once")
    return roles


class UpdateJitAccessBody(Body):
    user_id: UUID
    roles: Annotated[list[NewUserRole], Field(max_length=MAX_ROLES), AfterValidator(each_once)]


class AuthorizeJitAccessBody(Body):
    role: Annotated[Text, Field(min_length=1)]
    rhost: Annotated[str, Field(min_length=1), AfterValidator(address)]


class JitAccessResponse(Body):
    user_id: UUID
    user_roles: list[dict[str, Any]]


class JitAuthorizeAccessResponse(Body):
    user_id: UUID
    user_role: dict[str, Any]


class JitListAccessResponse(Body):
    items: list[JitAccessResponse]


class JitAccessRequestRequest(Body):
    state: Literal["enabled", "disabled"]


class JitStateResponse(JitAccessRequestRequest):
    appliedSuccessfully: bool
