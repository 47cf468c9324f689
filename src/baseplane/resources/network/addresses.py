"""IP addresses and networks, as people write them and as the door sees them."""

import ipaddress
import re
import socket
from ipaddress import IPv4Network, IPv6Network

import psutil

Network = IPv4Network | IPv6Network

SITE = 64
"""Bits of an IPv6 address that one site has for itself (RFC 4291, section 2.5.4); the rest it may choose at will."""
EVERYWHERE: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))

_CIDR = re.compile(r"[0-9a-fA-F.:]{2,45}/\d{1,3}")
_MAPPED = IPv6Network("::ffff:0:0/96")


def parse_cidr(text: str) -> Network:
    """A network in CIDR notation. Raises ValueError, saying what is wrong and what to write."""
    if not _CIDR.fullmatch(text):
        example = _suggestion(text) or "203.0.113.0/24 or 2001:db8::/32"
        raise ValueError(f"{text[:50]!r} is not a network in CIDR notation; write for instance {example}")
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a network in CIDR notation: {error}") from error
    if network.network_address != ipaddress.ip_address(text.partition("/")[0]):
        single = f"{text.partition('/')[0]}/{network.max_prefixlen}"
        raise ValueError(
            f"{text} has bits set right of its prefix; write {network} for the network, {single} for one host"
        )
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        raise ValueError(f"{text} maps IPv4 addresses; write the IPv4 network, which is what the door sees")
    return network


def _suggestion(text: str) -> str | None:
    try:
        return str(ipaddress.ip_network(ipaddress.ip_address(text)))
    except ValueError:
        return None


def site_of(address: str) -> Network:
    """What is counted as one source: an IPv4 address, or the 64 bits of an IPv6 address that its site has.

    ``address`` may also be such a network itself. Raises ValueError for what is no address.
    """
    if "%" in address:
        raise ValueError(f"{address} names an interface, which means something on one machine only")
    network = ipaddress.ip_network(address, strict=False)
    narrowest = SITE if isinstance(network, IPv6Network) else network.max_prefixlen
    if network.prefixlen < narrowest:
        raise ValueError(f"{address} is more than one address; name them one by one, IPv6 as an address or its /64")
    return network if network.prefixlen == narrowest else network.supernet(new_prefix=narrowest)


def short(network: Network) -> str:
    """A single address without its prefix length."""
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def is_own(address: str) -> bool:
    """Whether an interface of this machine has the address."""
    found = ipaddress.ip_address(address)
    families = (socket.AF_INET, socket.AF_INET6)
    return any(
        ipaddress.ip_address(own.address.partition("%")[0]) == found
        for interface in psutil.net_if_addrs().values()
        for own in interface
        if own.family in families
    )
