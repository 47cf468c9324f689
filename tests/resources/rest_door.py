"""The HTTP door with the Data API behind it, as a gateway process has it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from baseplane import app
from baseplane.drivers.gateway.lines import Lines
from baseplane.drivers.rest import program
from baseplane.drivers.rest.local import LocalRest
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.functions.serving import Functions
from baseplane.resources.postgrest.serving import RestService
from baseplane.runtime import Runtime

PREFIX = "/rest/v1"


@dataclass(frozen=True)
class Door:
    """``url`` is followed by a project's ref."""

    url: str
    http: httpx.AsyncClient
    rest: LocalRest
    service: RestService

    async def call(self, method: str, ref: str, path: str, key: str = "", **options: Any) -> httpx.Response:
        headers = {**({"apikey": key} if key else {}), **options.pop("headers", {})}
        return await self.http.request(method, f"/{ref}{PREFIX}{path}", headers=headers, **options)

    async def get(self, ref: str, path: str, key: str = "", **options: Any) -> Any:
        """The body of a 200."""
        answer = await self.call("GET", ref, path, key, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextlib.asynccontextmanager
async def opened(rt: Runtime, *, install: bool = True) -> AsyncIterator[Door]:
    if install:
        program.install(rt.settings.engines_dir, lambda _: None)
    resolver, rest = Resolver(rt), app.build_rest(rt)
    served = app.services(rt, resolver, Functions(rt, resolver), rest)
    service = served["rest/v1"]
    assert isinstance(service, RestService)
    attending = asyncio.create_task(resolver.attend())
    gateway = app.build_gateway(rt, resolver, served, Lines(Path("/dev/null")))
    url = f"http://127.0.0.1:{await gateway.listen('127.0.0.1', 0)}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            yield Door(url, http, rest, service)
    finally:
        await gateway.close()
        await rest.close()
        attending.cancel()
        await asyncio.wait([attending])
