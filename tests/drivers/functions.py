"""Functions as tests deploy and call them."""

import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from baseplane.drivers.functions import FunctionSpec, Lease
from baseplane.drivers.functions.local import LocalFunctions

Message = tuple[str, str]


def new_ref() -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(20))


@dataclass
class Host:
    """A driver, and what its functions said: level and message, by function."""

    driver: LocalFunctions
    said: dict[str, list[Message]] = field(default_factory=dict)

    async def deploy(
        self, source: str | Mapping[str, str | bytes], *, environment: Mapping[str, str] | None = None, **about: Any
    ) -> "Function":
        """``source`` is one file, index.ts, or several by name."""
        function = new_function(self, source, environment or {}, **about)
        await function.prepare()
        return function


@dataclass
class Function:
    host: Host
    spec: FunctionSpec
    source: Mapping[str, bytes]
    environment: Mapping[str, str]

    async def prepare(self) -> None:
        await self.host.driver.prepare(self.spec, self.source, self.environment)

    async def next_version(self, source: str) -> "Function":
        spec = self.spec
        about = {"ref": spec.ref, "id": spec.id, "number": spec.number + 1, "version": spec.version + 1}
        return await self.host.deploy(source, environment=self.environment, **about)

    def with_environment(self, **environment: str) -> "Function":
        return replace(self, environment=environment)

    @property
    def said(self) -> list[Message]:
        return self.host.said.get(self.spec.id, [])

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Lease, aiohttp.ClientSession]]:
        async with (
            self.host.driver.lease(self.spec, self.environment) as lease,
            aiohttp.ClientSession("http://function", connector=aiohttp.UnixConnector(str(lease.socket))) as session,
        ):
            yield lease, session

    async def call(self, path: str = "/", **options: Any) -> str:
        """The body of a 200. Raises what the process came to when it does not answer."""
        async with self.open() as (lease, session):
            try:
                async with session.request(options.pop("method", "GET"), path, **options) as answer:
                    text = await answer.text()
                    assert answer.status == 200, text
                    return text
            except aiohttp.ClientConnectionError as error:
                raise lease.verdict() or error from error

    async def execution(self) -> str:
        async with self.open() as (lease, _):
            return lease.execution_id


def new_function(
    host: Host, source: str | Mapping[str, str | bytes], environment: Mapping[str, str], **about: Any
) -> Function:
    files = {"index.ts": source} if isinstance(source, str) else source
    given = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    digest = hashlib.sha256(repr(sorted(given.items())).encode()).hexdigest()
    spec = FunctionSpec(
        **{
            "ref": new_ref(),
            "id": secrets.token_hex(8),
            "slug": "hello",
            "number": 1,
            "version": 1,
            "entrypoint": "index.ts",
            "import_map": None,
            "digest": digest,
            **about,
        }
    )
    return Function(host, spec, given, environment)
