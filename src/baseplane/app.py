"""The composition root: settings become a database, drivers and keys; these become the API, the worker, the ingress."""

import asyncio
import contextlib
import logging
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from fastapi import APIRouter, FastAPI
from psycopg.conninfo import conninfo_to_dict

from baseplane.api import application
from baseplane.api.caller import Callers
from baseplane.api.edge import Edge
from baseplane.api.rate_limits import RateLimits
from baseplane.database import Database
from baseplane.database.secrets import Keyring
from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster.account import account
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.ingress import Limits
from baseplane.drivers.ingress.postgres import PostgresIngress
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.drivers.outbound import Rules, outbound
from baseplane.drivers.pooler.local import LocalPoolers
from baseplane.errors import Unavailable
from baseplane.networks import parse_allowed
from baseplane.resources import addons, health, lifecycle, regions, storage, vault
from baseplane.resources.access import doors as access
from baseplane.resources.access import login_roles, sweeper, token_logins
from baseplane.resources.accounts import routes as accounts
from baseplane.resources.accounts import store as accounts_store
from baseplane.resources.advisors import routes as advisors
from baseplane.resources.api_keys import routes as api_keys
from baseplane.resources.disk import routes as disk
from baseplane.resources.disk import watch as disks
from baseplane.resources.doors import presence
from baseplane.resources.doors.gate import ProjectGate
from baseplane.resources.introspection import routes as introspection
from baseplane.resources.migrations import routes as migrations
from baseplane.resources.network import routes as network
from baseplane.resources.network import upkeep
from baseplane.resources.network.rules import BanRule, check_network
from baseplane.resources.organizations import routes as organizations
from baseplane.resources.pooler import pools
from baseplane.resources.pooler import routes as pooler
from baseplane.resources.postgres_config import routes as postgres_config
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
from baseplane.resources.webhooks import delivery
from baseplane.resources.webhooks import routes as webhooks
from baseplane.runtime import Runtime
from baseplane.settings import Settings
from baseplane.workflows.queue import Queue

log = logging.getLogger(__name__)

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
    pooler.router,
    postgres_config.router,
    disk.router,
    disk.readonly,
    replicas.router,
    storage.router,
    addons.router,
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
    return LocalClusters(Layout(settings.data_dir), settings.engines_dir, account(settings.postgres_user), door)


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
    async with Database(database_url(settings), max_size=connections) as database:
        try:
            poolers = LocalPoolers(driver.layout, driver.account)
            yield Runtime(settings, database, keyring(settings), driver, door, poolers, outbound_rules(settings))
        finally:
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


async def run_ingress(rt: Runtime) -> None:
    """Serve the Postgres door on its two ports, until cancelled."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # two files a session
    ingress = build_ingress(rt)
    settings = rt.settings
    try:
        await ingress.listen(settings.ingress_host, settings.postgres_port)
        await ingress.listen(settings.ingress_host, settings.pooler_port, pooled=True)
        await ingress.listen_locally(Layout(settings.data_dir).door)
        await presence.attend(rt, ingress)
    finally:
        await ingress.close()
