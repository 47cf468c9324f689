"""A small HTTP door before the REST service, as simple as one can be: it asks, and passes bytes on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import httpx
from aiohttp import web

from baseplane.api.answers import status_of
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.gateway import Answer, Request
from baseplane.drivers.rest import program
from baseplane.drivers.rest.local import LocalRest
from baseplane.errors import BaseplaneError
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.gateway.call import Call
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
async def opened(rt: Runtime, port: int = 0, *, install: bool = True) -> AsyncIterator[Door]:
    assert isinstance(rt.clusters, LocalClusters)
    if install:
        program.install(rt.settings.engines_dir, lambda _: None)
    layout = Layout(rt.settings.data_dir)
    resolver = Resolver(rt)
    rest = LocalRest(layout, rt.clusters.account, rt.settings.engines_dir)
    service = RestService(rt, resolver, rest, lambda ref: layout.cluster(ref).sockets)
    attending = asyncio.create_task(resolver.attend())
    runner = web.ServerRunner(web.Server(partial(_pass_on, service)))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    url = site.name if port else f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            yield Door(url, http, rest, service)
    finally:
        attending.cancel()
        await asyncio.wait([attending])
        await runner.cleanup()
        await rest.close()


async def _pass_on(service: RestService, request: web.BaseRequest) -> web.Response:
    _, ref, _, _, *_ = request.raw_path.partition("?")[0].split("/", 4)
    rest = request.raw_path.removeprefix(f"/{ref}{PREFIX}")
    head = Request(
        method=request.method,
        target=request.raw_path,
        headers={name.lower(): text for name, text in request.headers.items()},
        host=request.host,
        address=request.remote or "",
        encrypted=False,
    )
    try:
        found = await service(Call(ref, head, rest))
    except BaseplaneError as error:
        return web.json_response({"message": error.message, **error.extra}, status=status_of(error))
    if isinstance(found, Answer):
        return web.Response(status=found.status, body=found.body, headers=dict(found.headers))
    headers = {**head.headers, **found.headers}
    body = await request.read()
    try:
        connector = aiohttp.UnixConnector(found.socket)
        async with (
            aiohttp.ClientSession(connector=connector, auto_decompress=False) as upstream,
            upstream.request(
                request.method,
                f"http://rest{found.target}",
                headers={name: text for name, text in headers.items() if text is not None and name != "host"},
                data=body or None,
                allow_redirects=False,
            ) as answer,
        ):
            kept = {n: t for n, t in answer.headers.items() if n.lower() not in ("transfer-encoding", "content-length")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)
    except aiohttp.ClientError:
        broken = found.broken()
        assert broken
        return web.Response(status=broken.status, body=broken.body, headers=dict(broken.headers))
    finally:
        found.release()
