"""The HTTP door of all projects, with what answers behind it."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

import aiohttp

from baseplane.app.drivers import build_functions
from baseplane.app.files import take_all_files
from baseplane.app.paths import Paths
from baseplane.drivers.caddy import Acme, Caddy
from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster.account import account
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.gateway.lines import Lines
from baseplane.drivers.gateway.server import HttpGateway
from baseplane.drivers.rest.local import LocalRest
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.functions.serving import Functions
from baseplane.resources.gateway.auth import auth
from baseplane.resources.gateway.call import Service
from baseplane.resources.gateway.router import KNOWN_HOST, ProjectRouter
from baseplane.resources.metrics.serving import MetricsService
from baseplane.resources.postgrest.serving import RestService
from baseplane.runtime import Runtime
from baseplane.settings import Settings

log = logging.getLogger(__name__)


def build_rest(rt: Runtime) -> LocalRest:
    """The REST servers of this process; those of a process that was killed are ended."""
    return LocalRest(Layout(rt.settings.data_dir), account(rt.settings.postgres_user), rt.settings.engines_dir)


def services(rt: Runtime, resolver: Resolver, functions: Functions, rest: LocalRest) -> dict[str, Service]:
    """What answers at a project's HTTP address, by path; the rest says that it does not run here."""
    layout = Layout(rt.settings.data_dir)
    return {
        "auth/v1": auth(resolver.jwks),
        "customer/v1": MetricsService(rt, resolver, {"function": functions.processes, "rest": rest.running}),
        "functions/v1": functions,
        "rest/v1": RestService(rt, resolver, rest, lambda ref: layout.cluster(ref).sockets),
    }


def build_gateway(rt: Runtime, resolver: Resolver, served: Mapping[str, Service], lines: Lines) -> HttpGateway:
    """The HTTP door over an open runtime; it listens when told where. ``resolver`` must attend meanwhile."""
    return HttpGateway(ProjectRouter(rt.settings, resolver.project, served, lines.write))


def caddy(settings: Settings) -> Caddy:
    """What ends TLS before the gateway."""
    acme = None
    if settings.acme_email:
        ask = f"http://{settings.door_host}:{settings.http_port}{KNOWN_HOST}"
        acme = Acme(settings.acme_email, settings.acme_directory, ask)
    paths = Paths(settings.data_dir)
    return Caddy(
        paths.caddy,
        Layout(settings.data_dir).caddy,
        account(settings.http_user),
        Authority(paths.authority),
        settings.project_host,
        acme,
        settings.trusted_proxies,
    )


async def _renew(front: Caddy) -> None:
    """Look once an hour whether the certificate that Caddy shows needs to be another, until cancelled."""
    while True:
        await asyncio.sleep(3600)  # it has begun with a fresh one
        try:
            if await front.keep_current():
                log.info("Caddy has got another certificate")
        except (OSError, aiohttp.ClientError) as error:
            log.warning("Caddy took no certificate: %s", error)


async def run_gateway(rt: Runtime) -> None:
    """Serve the HTTP door on its port and its sockets, until cancelled."""
    take_all_files()
    settings, resolver = rt.settings, Resolver(rt)
    logs = Paths(settings.data_dir).logs
    lines, said = Lines(logs / "edge.jsonl"), Lines(logs / "functions.jsonl")
    driver, rest = build_functions(settings, said), build_rest(rt)
    functions = Functions(replace(rt, functions=driver), resolver)
    gateway = build_gateway(rt, resolver, services(rt, resolver, functions, rest), lines)
    front = caddy(settings)
    front.prepare()
    try:
        async with asyncio.TaskGroup() as tasks:
            for work in (resolver.attend, functions.attend, lines.run, said.run):
                tasks.create_task(work())
            tasks.create_task(_renew(front))
            await gateway.listen(settings.ingress_host, settings.http_port, proxies=settings.trusted_proxies)
            await gateway.listen_on(Layout(settings.data_dir).gateway)
            await gateway.listen_on(front.gateway, proxies=settings.trusted_proxies + 1)
    finally:
        await gateway.close()
        await driver.close()
        await rest.close()
        await lines.flush()
        await said.flush()
