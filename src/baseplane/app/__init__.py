"""The composition root: settings become a database, drivers and keys; these become the API, the worker, the doors."""

from baseplane.app.api import ROUTERS, build_api
from baseplane.app.drivers import (
    ARCHIVE_OFF,
    archive,
    archive_url,
    artifacts,
    build_functions,
    clusters,
    database_url,
    keyring,
    outbound_rules,
    own_platform,
    runtime,
)
from baseplane.app.gateway import build_gateway, build_rest, caddy, run_gateway, services
from baseplane.app.ingress import build_ingress, run_ingress
from baseplane.app.paths import Paths
from baseplane.app.worker import run_worker

__all__ = [
    "ARCHIVE_OFF",
    "ROUTERS",
    "Paths",
    "archive",
    "archive_url",
    "artifacts",
    "build_api",
    "build_functions",
    "build_gateway",
    "build_ingress",
    "build_rest",
    "caddy",
    "clusters",
    "database_url",
    "keyring",
    "outbound_rules",
    "own_platform",
    "run_gateway",
    "run_ingress",
    "run_worker",
    "runtime",
    "services",
]
