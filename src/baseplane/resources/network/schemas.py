"""The bodies of the network operations, named as in the contract."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from baseplane.api.bodies import Body
from baseplane.resources.network.addresses import Network, parse_cidr, site_of
from baseplane.resources.network.restrictions import MOST, Restrictions
from baseplane.resources.network.ssl_enforcement import Enforcement


def _ipv4(text: str) -> str:
    return _of(4, text, "dbAllowedCidrsV6")


def _ipv6(text: str) -> str:
    return _of(6, text, "dbAllowedCidrs")


def _of(version: int, text: str, other: str) -> str:
    network = parse_cidr(text)
    if network.version != version:
        raise ValueError(f"{network} is an IPv{network.version} network; it belongs into {other}")
    return str(network)


def _address(text: str) -> str:
    try:
        return str(site_of(text))
    except ValueError as error:
        raise ValueError(f"{text[:50]!r} is no IP address, as in 203.0.113.9 or 2001:db8::1") from error


class NetworkRestrictionsRequest(Body):
    """Networks of both families. A family that is left out has none."""

    dbAllowedCidrs: list[Annotated[str, AfterValidator(_ipv4)]] = Field(default_factory=list, max_length=MOST)
    dbAllowedCidrsV6: list[Annotated[str, AfterValidator(_ipv6)]] = Field(default_factory=list, max_length=MOST)

    @property
    def networks(self) -> list[Network]:
        return [ip_network(text) for text in (*self.dbAllowedCidrs, *self.dbAllowedCidrsV6)]


class NetworkRestrictionsPatchRequest(Body):
    add: NetworkRestrictionsRequest = NetworkRestrictionsRequest()
    remove: NetworkRestrictionsRequest = NetworkRestrictionsRequest()


class NetworkRestrictionsConfig(Body):
    dbAllowedCidrs: list[str]
    dbAllowedCidrsV6: list[str]

    @classmethod
    def of(cls, networks: Sequence[Network]) -> Self:
        return cls(
            dbAllowedCidrs=[str(network) for network in networks if network.version == 4],
            dbAllowedCidrsV6=[str(network) for network in networks if network.version == 6],
        )


class NetworkRestrictionsResponse(Body):
    """``old_config`` is there while ``config`` is not applied yet: it is what was applied before."""

    entitlement: Literal["disallowed", "allowed"]
    config: NetworkRestrictionsConfig
    old_config: NetworkRestrictionsConfig | None = None
    status: Literal["stored", "applied"]
    updated_at: datetime | None = None
    applied_at: datetime | None = None

    @classmethod
    def of(cls, found: Restrictions) -> Self:
        return cls.model_validate(_response(found, NetworkRestrictionsConfig))


class AllowedCidr(Body):
    address: str
    type: Literal["v4", "v6"]


class NetworkRestrictionsV2Config(Body):
    dbAllowedCidrs: list[AllowedCidr]

    @classmethod
    def of(cls, networks: Sequence[Network]) -> Self:
        return cls(
            dbAllowedCidrs=[
                AllowedCidr(address=str(network), type="v4" if network.version == 4 else "v6") for network in networks
            ]
        )


class NetworkRestrictionsV2Response(Body):
    """The same in the newer shape."""

    entitlement: Literal["disallowed", "allowed"]
    config: NetworkRestrictionsV2Config
    old_config: NetworkRestrictionsV2Config | None = None
    updated_at: datetime | None = None
    applied_at: datetime | None = None
    status: Literal["stored", "applied"]

    @classmethod
    def of(cls, found: Restrictions) -> Self:
        return cls.model_validate(_response(found, NetworkRestrictionsV2Config))


def _response(
    found: Restrictions, config: type[NetworkRestrictionsConfig] | type[NetworkRestrictionsV2Config]
) -> dict[str, object]:
    return {
        "entitlement": "allowed",
        "config": config.of(found.allowed),
        "old_config": None if found.is_applied else config.of(found.applied),
        "status": "applied" if found.is_applied else "stored",
        "updated_at": found.updated_at,
        "applied_at": found.applied_at,
    }


class NetworkBanResponse(Body):
    banned_ipv4_addresses: list[str]


class EnrichedBan(Body):
    """``identifier`` and ``type`` are those of the database concerned. ``reason`` and ``banned_until`` are Baseplane's."""

    banned_address: str
    identifier: str
    type: str
    reason: str
    banned_until: datetime


class NetworkBanResponseEnriched(Body):
    banned_ipv4_addresses: list[EnrichedBan]


class RemoveNetworkBanRequest(Body):
    """Addresses of either family, whatever the field is called."""

    ipv4_addresses: Annotated[list[Annotated[str, AfterValidator(_address)]], Field(max_length=MOST)]
    requester_ip: bool = False
    identifier: str | None = None


class SslConfig(Body):
    database: bool


class SslEnforcementRequest(Body):
    requestedConfig: SslConfig


class SslEnforcementResponse(Body):
    currentConfig: SslConfig
    appliedSuccessfully: bool

    @classmethod
    def of(cls, found: Enforcement) -> Self:
        return cls(currentConfig=SslConfig(database=found.applied), appliedSuccessfully=found.is_applied)
