"""Which addresses are whose: the public internet's, or those that an operator names."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

Address = IPv4Address | IPv6Address

NAT64 = IPv6Network("64:ff9b::/96")
SIX_TO_FOUR = IPv6Network("2002::/16")
UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out for the public IPv6 internet."""


def address(text: str) -> Address:
    """The address that a packet to ``text`` ends at: that of IPv4 where it travels inside of an IPv6 one.

    Raises ValueError.
    """
    found = ip_address(text.partition("%")[0])
    if isinstance(found, IPv6Address):
        if inner := found.ipv4_mapped or found.sixtofour:
            return inner
        if found in NAT64:
            return IPv4Address(int(found) & 0xFFFF_FFFF)
    return found


def is_public(found: Address) -> bool:
    """Whether everybody reaches the same machine there. Nothing local, private, shared, reserved or multicast is."""
    if isinstance(found, IPv6Address) and found not in UNICAST:
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


_WITH_PORT = re.compile(r"(?:(?P<v4>[\d./]+)|\[(?P<v6>[^]]+)\](?P<bits>/\d+)?):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry of an operator's list: a network, and the one port of it that is meant, or None for all."""

    network: IPv4Network | IPv6Network
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """From 10.0.0.0/8, 127.0.0.1:9000, fd00::/8, [fd00::1]:9000 or [fd00::]/8:9000. Raises ValueError."""
        form = _WITH_PORT.fullmatch(text)
        if form is None:
            return cls(ip_network(text, strict=False), None)
        port = int(form["port"])
        if not 0 < port < 65536:
            message = f"{text!r} does not end with a port from 1 to 65535"
            raise ValueError(message)
        return cls(ip_network(form["v4"] or form["v6"] + (form["bits"] or ""), strict=False), port)

    def covers(self, found: Address, port: int) -> bool:
        return found in self.network and self.port in (None, port)


def parse_allowed(text: str) -> tuple[Allowed, ...]:
    """A comma-separated list. Raises ValueError."""
    return tuple(Allowed.parse(entry.strip()) for entry in text.split(",") if entry.strip())
