"""Where a request comes from, as far as the operator trusts what stands before the API."""

import pytest
from starlette.requests import Request

from baseplane.api.address import NOWHERE, client_address

PEER = "192.0.2.7"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    {
        "without proxies nothing is believed": (0, ["203.0.113.9"], PEER),
        "a proxy tells its client": (1, ["203.0.113.9"], "203.0.113.9"),
        "what clients write themselves is not believed": (1, ["10.0.0.1, 203.0.113.9"], "203.0.113.9"),
        "two proxies": (2, ["10.0.0.1, 203.0.113.9, 192.0.2.1"], "203.0.113.9"),
        "two proxies with a header each": (2, ["203.0.113.9", "192.0.2.1"], "203.0.113.9"),
        "a proxy that tells nothing": (1, [], PEER),
        "nonsense": (1, ["unknown"], PEER),
        "mapped IPv4": (1, ["::ffff:203.0.113.9"], "203.0.113.9"),
        "IPv6": (1, ["2001:DB8::1"], "2001:db8::1"),
    }.values(),
)
def test_the_address_is_that_of_the_outermost_trusted_proxys_client(
    proxies: int, forwarded: list[str], address: str
) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    request = Request({"type": "http", "headers": headers, "client": (PEER, 1)})
    assert client_address(request, proxies) == address


def test_a_client_without_an_address_is_nowhere() -> None:
    assert client_address(Request({"type": "http", "headers": [], "client": None}), 0) == NOWHERE
