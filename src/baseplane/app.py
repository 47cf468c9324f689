"""The composition root: settings become a database, drivers and keys; these become the API, the worker and the doors."""

import asyncio
import contextlib
import logging
import resource
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import psycopg
from fastapi import APIRouter, FastAPI
from psycopg.conninfo import conninfo_to_dict

from baseplane.api import application
from baseplane.api.caller import Callers
from baseplane.api.edge import Edge
from baseplane.api.rate_limits import RateLimits
from baseplane.database import Database
from baseplane.database.secrets import Keyring
from baseplane.drivers.archive import ArchiveDriver
from baseplane.drivers.archive.absent import NoArchive
from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.artifacts import ArtifactStore
from baseplane.drivers.artifacts.bucket import Bucket
from baseplane.drivers.artifacts.directory import Directory
from baseplane.drivers.caddy import Acme, Caddy
from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster.account import account
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.functions.local import LocalFunctions
from baseplane.drivers.functions.sandbox import Doors
from baseplane.drivers.gateway.lines import Lines
from baseplane.drivers.gateway.server import HttpGateway
from baseplane.drivers.ingress import Limits
from baseplane.drivers.ingress.postgres import PostgresIngress
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.drivers.outbound import Rules, outbound
from baseplane.drivers.pooler.local import LocalPoolers
from baseplane.drivers.rest.local import LocalRest
from baseplane.errors import Unavailable
from baseplane.networks import parse_allowed
from baseplane.resources import addons, health, lifecycle, regions, storage, vault
from baseplane.resources.access import doors as access
from baseplane.resources.access import login_roles, sweeper, token_logins
from baseplane.resources.accounts import routes as accounts
from baseplane.resources.accounts import store as accounts_store
from baseplane.resources.advisors import routes as advisors
from baseplane.resources.api_keys import routes as api_keys
from baseplane.resources.backups import routes as backups
from baseplane.resources.backups import watch as backups_watch
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.disk import routes as disk
from baseplane.resources.disk import watch as disks
from baseplane.resources.doors import presence
from baseplane.resources.doors.gate import ProjectGate
from baseplane.resources.functions import routes as functions_routes
from baseplane.resources.functions.serving import Functions
from baseplane.resources.gateway.auth import auth
from baseplane.resources.gateway.call import Service
from baseplane.resources.gateway.router import KNOWN_HOST, ProjectRouter
from baseplane.resources.introspection import routes as introspection
from baseplane.resources.migrations import routes as migrations
from baseplane.resources.network import routes as network
from baseplane.resources.network import upkeep
from baseplane.resources.network.rules import BanRule, check_network
from baseplane.resources.organizations import routes as organizations
from baseplane.resources.pooler import pools
from baseplane.resources.pooler import routes as pooler
from baseplane.resources.postgres_config import routes as postgres_config
from baseplane.resources.postgrest import routes as postgrest
from baseplane.resources.postgrest.serving import RestService
from baseplane.resources.projects import monitor, sleep
from baseplane.resources.projects import routes as projects
from baseplane.resources.replicas import monitor as replica_monitor
from baseplane.resources.replicas import routes as replicas
from baseplane.resources.secrets import routes as secrets
from baseplane.resources.signing_keys import routes as signing_keys
from baseplane.resources.snippets import routes as snippets
from baseplane.resources.sql import routes as sql
from baseplane.resources.third_party_auth import refreshing
from baseplane.resources.third_party_auth import routes as third_party_auth
from baseplane.resources.types import routes as types
from baseplane.resources.upgrades import routes as upgrades
from baseplane.resources.webhooks import delivery
from baseplane.resources.webhooks import routes as webhooks
from baseplane.runtime import Runtime
from baseplane.settings import Settings
from baseplane.workflows.queue import Queue

log = logging.getLogger(__name__)

ARCHIVE_OFF = "off"

ROUTERS: tuple[APIRouter, ...] = (
    accounts.router,
    organizations.router,
    regions.router,  # before projects: available-regions would be taken for a ref
    projects.router,
    projects.of_organization,
    lifecycle.router,
    health.router,
    network.router,
    network.ssl_router,
    sql.router,
    sql.direct,
    webhooks.router,
    migrations.router,
    types.router,
    api_keys.router,
    signing_keys.router,
    third_party_auth.router,
    third_party_auth.direct,
    secrets.router,
    functions_routes.router,
    pooler.router,
    postgres_config.router,
    postgrest.router,
    disk.router,
    disk.readonly,
    backups.router,
    replicas.router,
    storage.router,
    addons.router,
    upgrades.router,
    login_roles.router,
    token_logins.router,
    vault.router,
    advisors.router,
    snippets.router,
    introspection.router,
)


@dataclass(frozen=True, slots=True)
class Paths:
    """What lies where below the data directory."""

    root: Path

    @property
    def key(self) -> Path:
        return self.root / "platform.key"

    @property
    def authority(self) -> Path:
        return self.root / "ca"

    @property
    def access_token(self) -> Path:
        return self.root / "access-token"

    @property
    def profile(self) -> Path:
        return self.root / "supabase-profile.yaml"

    @property
    def ready(self) -> Path:
        return self.root / "ready.json"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def caddy(self) -> Path:
        return self.root / "caddy"

    def log_of(self, part: str) -> Path:
        return self.caddy / "caddy.log" if part == "caddy" else self.logs / f"{part}.log"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def database_url(self) -> Path:
        """Written by `baseplane up`, for commands that speak to the platform database it runs."""
        return self.root / "platform" / "url"


def database_url(settings: Settings) -> str:
    """Raises Unavailable when there is none."""
    if settings.database_url:
        return settings.database_url.get_secret_value()
    with contextlib.suppress(FileNotFoundError):
        return Paths(settings.data_dir).database_url.read_text()
    raise Unavailable(
        f"There is no platform database in {settings.data_dir}: run `baseplane up` once,"
        " or set BASEPLANE_DATABASE_URL to a Postgres of yours."
    )


def keyring(settings: Settings) -> Keyring:
    if settings.platform_key:
        return Keyring.parse(settings.platform_key.get_secret_value())
    return Keyring.at(Paths(settings.data_dir).key)


def clusters(settings: Settings, door: TlsDoor | None = None) -> LocalClusters:
    rpo = None if settings.archive == ARCHIVE_OFF else settings.archive_rpo
    return LocalClusters(Layout(settings.data_dir), settings.engines_dir, account(settings.postgres_user), door, rpo)


def archive(settings: Settings, driver: LocalClusters, keys: Keyring) -> ArchiveDriver:
    """Raises ArchiveUnavailable when its URL is of no use."""
    if settings.archive == ARCHIVE_OFF:
        return NoArchive()
    url = settings.archive or str(settings.data_dir / "archive")
    return LocalArchive(driver, url, keys, encrypts=settings.archive_encrypt)


def artifacts(settings: Settings) -> ArtifactStore:
    """Raises Unavailable for an address that cannot be meant."""
    if "://" not in settings.artifacts:
        root = Path(settings.artifacts).expanduser().absolute() if settings.artifacts else None
        return Directory(root or Paths(settings.data_dir).artifacts)
    key_id, secret = settings.artifacts_key_id, settings.artifacts_secret.get_secret_value()
    try:
        return Bucket(settings.artifacts, (key_id, secret) if key_id else None)
    except ValueError as error:
        raise Unavailable(f"BASEPLANE_ARTIFACTS: {error}") from error


@asynccontextmanager
async def runtime(settings: Settings, *, connections: int) -> AsyncIterator[Runtime]:
    """The runtime of one process, with its database open. ``connections`` bounds those to the platform database."""
    door = TlsDoor(
        settings.ingress_host,
        settings.postgres_port,
        settings.pooler_port,
        Paths(settings.data_dir).authority / "ca.pem",
    )
    driver = clusters(settings, door)
    functions = build_functions(settings)
    async with Database(database_url(settings), max_size=connections) as database:
        try:
            poolers, keys = LocalPoolers(driver.layout, driver.account), keyring(settings)
            yield Runtime(
                settings,
                database,
                keys,
                driver,
                door,
                poolers,
                artifacts(settings),
                functions,
                outbound_rules(settings),
                archive(settings, driver, keys),
            )
        finally:
            await functions.close()
            driver.close()


def build_api(rt: Runtime) -> FastAPI:
    """The ASGI application over an open runtime."""
    callers = Callers(rt.database, accounts_store.find_caller)
    limits = RateLimits(rt.settings.rate_limit, rt.settings.rate_limit_storage)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        listener = asyncio.create_task(_hear_of_tokens(rt.database.url, callers))
        yield
        listener.cancel()

    return application.build(Edge(rt, callers, limits), ROUTERS, lifespan, version("baseplane"))


async def _hear_of_tokens(url: str, callers: Callers) -> None:
    """Forget callers whose tokens change. While nothing can be heard, what is remembered lasts seconds anyway."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute("listen baseplane_tokens")
                callers.forget()
                async for notification in connection.notifies():
                    callers.forget(notification.payload)
        except psycopg.Error as error:
            log.warning("listening for revoked tokens failed: %s", error)
        await asyncio.sleep(1)


async def run_worker(rt: Runtime) -> None:
    """Carry runs on and look after the clusters, until cancelled."""
    queue = Queue(rt)
    await queue.open()
    async with outbound(rt.outbound) as sender, asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.work())
        tasks.create_task(monitor.watch(rt))
        tasks.create_task(replica_monitor.watch(rt))
        tasks.create_task(sleep.watch(rt))
        tasks.create_task(disks.watch(rt))
        tasks.create_task(backups_watch.watch(rt))
        tasks.create_task(pools.watch(rt))
        tasks.create_task(sweeper.watch(rt))
        tasks.create_task(delivery.watch(rt, sender))
        tasks.create_task(upkeep.watch(rt))
        tasks.create_task(refreshing.watch(rt, sender))


def outbound_rules(settings: Settings) -> Rules:
    """Where requests on behalf of tenants may go: nowhere that the platform itself listens."""
    own = {settings.listen_port, settings.postgres_port, settings.pooler_port, settings.http_port, settings.https_port}
    if settings.database_url:
        ports = str(conninfo_to_dict(settings.database_url.get_secret_value()).get("port") or 5432)
        own |= {int(port) for port in ports.split(",") if port}
    if port := urlsplit(settings.rate_limit_storage).port:
        own.add(port)
    return Rules(parse_allowed(settings.outbound_allow), own)


def build_ingress(rt: Runtime) -> PostgresIngress:
    """The Postgres door over an open runtime; it listens when told where."""
    layout = Layout(rt.settings.data_dir)
    bans = BanRule.of(rt.settings)
    find = accounts_store.find_caller
    gate = ProjectGate(
        rt,
        lambda name: layout.cluster(name).socket,
        pools.enter,
        access.login_by(find),
        checks=(check_network, access.check_temporary_role, access.check_token(find)),
        witnesses=(bans.note,),
        at_login=(bans.check,),
    )
    authority = Authority(Paths(rt.settings.data_dir).authority)
    return PostgresIngress(gate, authority, rt.settings.project_host, Limits())


def _take_all_files() -> None:
    """A client takes two: its own connection, and the one to what it wants."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def run_ingress(rt: Runtime) -> None:
    """Serve the Postgres door on its two ports, until cancelled."""
    _take_all_files()
    ingress = build_ingress(rt)
    settings = rt.settings
    try:
        await ingress.listen(settings.ingress_host, settings.postgres_port)
        await ingress.listen(settings.ingress_host, settings.pooler_port, pooled=True)
        await ingress.listen_locally(Layout(settings.data_dir).door)
        await presence.attend(rt, ingress)
    finally:
        await ingress.close()


def build_rest(rt: Runtime) -> LocalRest:
    """The REST servers of this process; those of a process that was killed are ended."""
    return LocalRest(Layout(rt.settings.data_dir), account(rt.settings.postgres_user), rt.settings.engines_dir)


def build_functions(settings: Settings, lines: Lines | None = None) -> LocalFunctions:
    """The functions of this process, which meet their own project at its doors; what they say goes to ``lines``."""

    def log(ref: str, function_id: str, version: int, execution_id: str, level: str, message: str) -> None:
        if lines is not None:
            lines.write(
                {
                    "timestamp": time.time_ns() // 1000,
                    "project": ref,
                    "function_id": function_id,
                    "version": version,
                    "execution_id": execution_id,
                    "level": level,
                    "event_message": message,
                }
            )

    layout = Layout(settings.data_dir)
    return LocalFunctions(
        settings.data_dir,
        layout.sockets,
        doors=Doors(http=layout.gateway, postgres=layout.door),
        log=log,
        first_user=settings.functions_uid,
        most=settings.functions_max,
    )


def services(rt: Runtime, resolver: Resolver, functions: Functions, rest: LocalRest) -> dict[str, Service]:
    """What answers at a project's HTTP address, by path; the rest says that it does not run here."""
    layout = Layout(rt.settings.data_dir)
    return {
        "auth/v1": auth(resolver.jwks),
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
    _take_all_files()
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
