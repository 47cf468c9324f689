"""Where a request comes from."""

from ipaddress import ip_address

from starlette.requests import Request

NOWHERE = "0.0.0.0"  # noqa: S104
"""The unspecified address: a connection without one, such as a Unix socket."""


def client_address(request: Request, trusted_proxies: int) -> str:
    """The client's IP address, IPv4 also where it is mapped.

    Every trusted proxy has appended its own client to X-Forwarded-For; what stands further to the left, anybody can
    have written.
    """
    forwarded = [part.strip() for line in request.headers.getlist("x-forwarded-for") for part in line.split(",")]
    peer = request.client.host if request.client else ""
    told = forwarded[-trusted_proxies] if 0 < trusted_proxies <= len(forwarded) else peer
    for candidate in (told, peer):
        try:
            found = ip_address(candidate.partition("%")[0])
        except ValueError:
            continue
        return str(found.ipv4_mapped or found) if found.version == 6 else str(found)
    return NOWHERE
