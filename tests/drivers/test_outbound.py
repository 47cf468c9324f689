"""Where requests on behalf of tenants may go, checked on the address that is connected to."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest
from aiohttp import web

from baseplane.drivers import outbound as driver
from baseplane.drivers.outbound import Outbound, Refused, Rules, Unreachable, outbound
from baseplane.networks import parse_allowed
from tests.receiver import Received, Receiver, listening


@pytest.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as receiver:
        yield receiver


@pytest.fixture
async def sender() -> AsyncIterator[Outbound]:
    async with outbound(Rules(parse_allowed("127.0.0.0/8"))) as sender:
        yield sender


async def get(sender: Outbound, url: str, **headers: str) -> driver.Answer:
    return await sender.send("GET", url, headers, within=5, max_bytes=1000)


PRIVATE = (
    "127.0.0.1 127.9.9.9 0.0.0.0 10.0.0.1 172.16.0.1 192.168.0.1 169.254.169.254 100.64.0.1 192.0.0.1 192.0.2.1 198.18.0.1"
    " 224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: fe80::1 fc00::1 fd00::1 ff02::1 fec0::1 2001:db8::1 ::127.0.0.1"
    " ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 2002:7f00:1:: 2002:a00:1:: 2001::1 fe80::1%eth0"
)


@pytest.mark.parametrize("host", PRIVATE.split())
def test_an_address_that_is_not_public_is_refused(host: str) -> None:
    assert not Rules().permit(host, 443)


@pytest.mark.parametrize("host", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "64:ff9b::1.1.1.1", "::ffff:1.1.1.1"])
def test_a_public_address_is_permitted(host: str) -> None:
    assert Rules(own_ports={443}).permit(host, 443)


def test_the_own_address_is_refused_even_if_it_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    card = type("card", (), {"family": socket.AF_INET, "address": "1.1.1.1"})
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"eth0": [card]})
    assert not Rules().permit("1.1.1.1", 80)
    assert not Rules().permit("::ffff:1.1.1.1", 80)
    assert Rules().permit("1.0.0.1", 80)
    assert Rules(parse_allowed("1.1.1.1:80")).permit("1.1.1.1", 80)


@pytest.mark.parametrize(
    ("allowed", "host", "port", "permitted"),
    [
        ("10.0.0.0/8", "10.1.2.3", 80, True),
        ("10.0.0.0/8", "11.1.2.3", 80, True),
        ("10.0.0.0/8", "127.0.0.1", 80, False),
        ("127.0.0.1:9000", "127.0.0.1", 9000, True),
        ("127.0.0.1:9000", "127.0.0.1", 9001, False),
        ("127.0.0.1:9000", "::ffff:127.0.0.1", 9000, True),
        ("127.0.0.0/8", "127.0.0.1", 5432, False),
        ("127.0.0.1:5432", "127.0.0.1", 5432, False),
        ("0.0.0.0/0, ::/0", "::1", 5432, False),
        ("fd00::/8", "fd00::1", 80, True),
        ("[fd00::1]:80", "fd00::1", 80, True),
        ("[fd00::]/8:80", "fd00::2", 80, True),
        ("[fd00::1]:80", "fd00::1", 81, False),
        ("", "127.0.0.1", 80, False),
    ],
)
def test_the_operator_allows_networks_and_never_the_platforms_own_ports(
    allowed: str, host: str, port: int, permitted: bool
) -> None:
    assert Rules(parse_allowed(allowed), {5432}).permit(host, port) is permitted


@pytest.mark.parametrize(
    "text", ["x", "10.0.0.0/33", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:x", "[::1", "localhost"]
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_allowed(text)


async def test_a_name_is_judged_by_the_address_it_leads_to(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """And again each time that it is connected to: a name may lead elsewhere a moment later."""
    leads_to = "127.0.0.1"

    def lookup(host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (leads_to, port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    async with outbound(Rules(parse_allowed("127.0.0.2"))) as strict:
        with pytest.raises(Refused, match=r"Requests to rebind\.test are not allowed: the address is not public"):
            await get(strict, f"http://rebind.test:{receiver.port}/rebound")
        leads_to = "127.0.0.2"
        strict._session.connector.clear_dns_cache()  # type: ignore[union-attr]
        with pytest.raises(Unreachable):  # permitted, and nobody is there
            await get(strict, f"http://rebind.test:{receiver.port}/rebound")
    assert receiver.at("/rebound") == []


async def test_a_redirect_is_an_answer_like_any_other(receiver: Receiver, sender: Outbound) -> None:
    async def redirect(_: Received) -> web.StreamResponse:
        raise web.HTTPFound(receiver.url("/target"))

    receiver.answers["/redirect"] = [redirect]
    answer = await get(sender, receiver.url("/redirect"))
    assert (answer.status, answer.headers["location"]) == (302, receiver.url("/target"))
    assert receiver.at("/target") == []


async def test_nothing_of_one_request_comes_back_with_the_next(receiver: Receiver, sender: Outbound) -> None:
    async def cookie(_: Received) -> web.StreamResponse:
        return web.Response(headers={"Set-Cookie": "tenant=secret; Path=/"})

    receiver.answers["/cookie"] = [cookie]
    await get(sender, receiver.url("/cookie"), Authorization="Bearer a")
    await get(sender, receiver.url("/cookie"))
    assert not {"Cookie", "Authorization"} & set(receiver.at("/cookie")[1].headers)


async def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, sender: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", receiver.url())
    with pytest.raises(Unreachable):
        await get(sender, "http://127.0.0.3:1/proxied")


@pytest.mark.parametrize("host", ["127.0.0.1:1", "nobody.invalid"])
async def test_what_takes_no_connection_is_told_in_words(sender: Outbound, host: str) -> None:
    with pytest.raises(Unreachable, match=r"^No connection to [\w.]+: [A-Z][a-z]") as caught:
        await get(sender, f"http://{host}/")
    assert "Errno" not in caught.value.message


async def test_an_answer_is_read_up_to_its_bound(receiver: Receiver, sender: Outbound) -> None:
    async def long(_: Received) -> web.StreamResponse:
        return web.Response(body=b"x" * 5000)

    receiver.answers["/long"] = [long]
    answer = await get(sender, receiver.url("/long"))
    assert (len(answer.content), answer.is_cut) == (1000, True)
