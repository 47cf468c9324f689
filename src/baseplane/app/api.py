"""The API: every slice's operations over a runtime."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import psycopg
from fastapi import APIRouter, FastAPI

from baseplane.api import application
from baseplane.api.caller import Callers
from baseplane.api.edge import Edge
from baseplane.api.rate_limits import RateLimits
from baseplane.resources import addons, health, lifecycle, regions, storage, vault
from baseplane.resources.access import login_roles, token_logins
from baseplane.resources.accounts import routes as accounts
from baseplane.resources.accounts import store as accounts_store
from baseplane.resources.advisors import routes as advisors
from baseplane.resources.api_keys import routes as api_keys
from baseplane.resources.backups import routes as backups
from baseplane.resources.disk import routes as disk
from baseplane.resources.functions import routes as functions_routes
from baseplane.resources.introspection import routes as introspection
from baseplane.resources.metrics import routes as metrics
from baseplane.resources.migrations import routes as migrations
from baseplane.resources.network import routes as network
from baseplane.resources.organizations import routes as organizations
from baseplane.resources.pooler import routes as pooler
from baseplane.resources.postgres_config import routes as postgres_config
from baseplane.resources.postgrest import routes as postgrest
from baseplane.resources.projects import routes as projects
from baseplane.resources.replicas import routes as replicas
from baseplane.resources.secrets import routes as secrets
from baseplane.resources.signing_keys import routes as signing_keys
from baseplane.resources.snippets import routes as snippets
from baseplane.resources.sql import routes as sql
from baseplane.resources.third_party_auth import routes as third_party_auth
from baseplane.resources.types import routes as types
from baseplane.resources.upgrades import routes as upgrades
from baseplane.resources.webhooks import routes as webhooks
from baseplane.runtime import Runtime

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


def build_api(rt: Runtime) -> FastAPI:
    """The ASGI application over an open runtime."""
    callers = Callers(rt.database, accounts_store.find_caller)
    limits = RateLimits(rt.settings.rate_limit, rt.settings.rate_limit_storage)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        listener = asyncio.create_task(_hear_of_tokens(rt.database.url, callers))
        yield
        listener.cancel()

    api = application.build(Edge(rt, callers, limits), ROUTERS, lifespan, version("baseplane"))
    api.add_route(metrics.PATH, metrics.read_metrics, include_in_schema=False)
    return api


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
