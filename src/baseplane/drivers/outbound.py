"""Requests that leave the platform for an address that a tenant chose: the one way out, and what may not go through it.

The address is checked where the socket is made, after names are resolved: what is checked is what is connected to.
"""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import aiohttp
import psutil
from aiohttp.abc import AbstractResolver, ResolveResult

from baseplane.errors import BaseplaneError
from baseplane.networks import Address, Allowed, address, is_public

CONNECT_WITHIN = 10.0
LOOKUPS = 32
"""Names that are looked up at a time."""
MAX_URL = 8192
MAX_HEADERS = 64
MAX_HEADER_BYTES = 32 * 1024
INTERFACES_FOR = 30.0
"""Seconds for which the machine's own addresses are remembered."""

OURS = frozenset({
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
"""Headers that say how a message is framed and where it goes: one request must not become two."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # token of RFC 9110, 5.6.2
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")  # field-value of RFC 9110, 5.5
_SPACE = re.compile(r"[\x00-\x20\x7f]")
_METHOD = re.compile(r"[A-Z]{1,16}")


class Refused(BaseplaneError):
    """The request is not sent, now or later: its form or its destination is not allowed."""


class Unreachable(BaseplaneError):
    """No server took the request."""


class Broken(BaseplaneError):
    """A server took the request and gave no whole answer."""


class TimedOut(Broken):
    """The time was over before the answer was whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``is_cut`` says that ``content`` is only the beginning."""

    status: int
    headers: dict[str, str]
    content: bytes
    is_cut: bool
    charset: str = "utf-8"

    @property
    def text(self) -> str:
        """The content as text; bytes that are none are replaced."""
        try:
            return self.content.decode(self.charset, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")


@dataclass(slots=True)
class Rules:
    """Where requests may go: to public addresses, and to those of ``allowed``.

    ``own_ports`` are those of the platform's own servers: refused at every address that is not public, whatever is
    allowed. This machine's own addresses count as not public.
    """

    allowed: Collection[Allowed] = ()
    own_ports: Collection[int] = ()
    _own: tuple[float, frozenset[Address]] = field(default=(0.0, frozenset()), init=False)

    def permit(self, host: str, port: int) -> bool:
        found = address(host)
        if is_public(found) and found not in self._own_addresses():
            return True
        return port not in self.own_ports and any(entry.covers(found, port) for entry in self.allowed)

    def _own_addresses(self) -> frozenset[Address]:
        if not self._own[1] or self._own[0] < time.monotonic() - INTERFACES_FOR:
            families = (socket.AF_INET, socket.AF_INET6)
            found = (card for cards in psutil.net_if_addrs().values() for card in cards if card.family in families)
            self._own = (time.monotonic(), frozenset(address(card.address) for card in found))
        return self._own[1]


class _RefusedAddressError(OSError):
    """The same words for every address of a host: aiohttp then hands on this error and no summary of several."""

    def __init__(self) -> None:
        super().__init__("the address is not public, and not one that this installation allows")


class Outbound:
    """Sends requests. Neither cookies nor proxies nor redirects: each request stands alone and goes where it says."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._resolver = _Resolver()
        connector = aiohttp.TCPConnector(
            limit=0, resolver=self._resolver, socket_factory=self._socket, ttl_dns_cache=10, keepalive_timeout=15
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_WITHIN),
            auto_decompress=False,  # a small answer could become a huge one
            trust_env=False,
        )

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        within: float,
        max_bytes: int,
    ) -> Answer:
        """The answer, whatever its status, with at most ``max_bytes`` of its content. ``within`` is in seconds.

        Raises Refused, Unreachable, Broken, TimedOut.
        """
        host = checked_url(url).hostname
        fields = checked_headers(headers)
        if not _METHOD.fullmatch(method):
            raise Refused(f"{method[:32]!r} is not an HTTP method.")
        try:
            async with (
                asyncio.timeout(within),
                self._session.request(
                    method, url, headers=fields, data=body, allow_redirects=False, max_line_size=MAX_URL
                ) as response,
            ):
                return await _answer(response, max_bytes)
        except aiohttp.ConnectionTimeoutError as error:
            raise Unreachable(f"{host} took no connection within {CONNECT_WITHIN:g} seconds.") from error
        except TimeoutError as error:
            raise TimedOut(f"Timeout of {within * 1000:g} ms reached.") from error
        except aiohttp.InvalidURL as error:
            raise Refused(f"url: {error}") from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _RefusedAddressError):
                raise Refused(f"Requests to {host} are not allowed: {error.os_error}.") from error
            raise Unreachable(f"No connection to {host}: {error.os_error.strerror or error.os_error}.") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Broken(f"{host} did not answer in HTTP: {error or type(error).__name__}.") from error

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Made only when its destination is permitted: names and literals come through here alike."""
        family, kind, protocol, _, where = info
        if not self.rules.permit(where[0], where[1]):
            raise _RefusedAddressError
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        await self._session.close()
        self._resolver.threads.shutdown(wait=False, cancel_futures=True)


@contextlib.asynccontextmanager
async def outbound(rules: Rules) -> AsyncIterator[Outbound]:
    sender = Outbound(rules)
    try:
        yield sender
    finally:
        await sender.close()


def checked_url(url: str) -> SplitResult:
    """Raises Refused."""
    if len(url) > MAX_URL or _SPACE.search(url):
        raise Refused(f"url: longer than {MAX_URL} characters, or holds a space or a control character.")
    try:
        target = urlsplit(url)
        known = target.scheme in ("http", "https") and bool(target.hostname) and target.port != 0
    except ValueError as error:
        raise Refused(f"url: {error}.") from error
    if not known:
        raise Refused("url: must begin with http:// or https:// and name a host.")
    if target.username is not None or target.password is not None:
        raise Refused("url: must not hold a user or a password; send them in a header.")
    return target


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Raises Refused."""
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers.items()) > MAX_HEADER_BYTES:
        raise Refused(f"headers: more than {MAX_HEADERS}, or more than {MAX_HEADER_BYTES} characters.")
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Refused(f"headers: {name[:64]!r} is not a header, or its value holds a control character.")
        if name.lower() in OURS:
            raise Refused(f"headers: {name} is not a caller's to set.")
    return {"User-Agent": "baseplane", "Accept-Encoding": "identity", **headers}


async def _answer(response: aiohttp.ClientResponse, max_bytes: int) -> Answer:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > max_bytes:
            response.close()
            break
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
    return Answer(
        response.status, headers, bytes(content[:max_bytes]), len(content) > max_bytes, response.charset or "utf-8"
    )


class _Resolver(AbstractResolver):
    """The system's own, in threads of its own: names that nobody answers for keep no other work waiting."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        def ask() -> list[Any]:
            return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)

        found = await asyncio.get_running_loop().run_in_executor(self.threads, ask)
        return [
            ResolveResult(hostname=host, host=where[0], port=where[1], family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, where in found
        ]

    async def close(self) -> None: ...
