"""What a process is made of: settings become a database, keys and drivers."""

import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from baseplane.app.paths import Paths
from baseplane.database import Database
from baseplane.database.secrets import Keyring
from baseplane.drivers.archive import ArchiveDriver
from baseplane.drivers.archive.absent import NoArchive
from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.artifacts import ArtifactStore
from baseplane.drivers.artifacts.bucket import Bucket
from baseplane.drivers.artifacts.directory import Directory
from baseplane.drivers.cluster import ClusterSpec
from baseplane.drivers.cluster.account import account
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.cluster.platform import archived_as
from baseplane.drivers.functions.local import LocalFunctions
from baseplane.drivers.functions.sandbox import Doors
from baseplane.drivers.gateway.lines import Lines
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.drivers.outbound import Rules
from baseplane.drivers.pooler.local import LocalPoolers
from baseplane.errors import Unavailable
from baseplane.networks import parse_allowed
from baseplane.runtime import Runtime
from baseplane.settings import Settings

ARCHIVE_OFF = "off"
"""As BASEPLANE_ARCHIVE: nothing is archived."""


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


def archive_url(settings: Settings) -> str:
    """A directory, or a bucket's URL."""
    return settings.archive or str(settings.data_dir / "archive")


def archive(settings: Settings, driver: LocalClusters, keys: Keyring) -> ArchiveDriver:
    """Raises ArchiveUnavailable when its URL is of no use."""
    if settings.archive == ARCHIVE_OFF:
        return NoArchive()
    url = archive_url(settings)
    return LocalArchive(driver, url, keys, encrypts=settings.archive_encrypt, directory=settings.data_dir)


def own_platform(settings: Settings) -> ClusterSpec | None:
    """The platform database as the archive takes it; None where the operator keeps it himself."""
    with contextlib.suppress(FileNotFoundError):
        layout = Layout(settings.data_dir)
        if Paths(settings.data_dir).database_url.read_text() == database_url(settings):
            return archived_as(layout, int((layout.platform / "data" / "PG_VERSION").read_text()))
    return None


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


def outbound_rules(settings: Settings) -> Rules:
    """Where requests on behalf of tenants may go: nowhere that the platform itself listens."""
    own = {settings.listen_port, settings.postgres_port, settings.pooler_port, settings.http_port, settings.https_port}
    if settings.database_url:
        ports = str(conninfo_to_dict(settings.database_url.get_secret_value()).get("port") or 5432)
        own |= {int(port) for port in ports.split(",") if port}
    if port := urlsplit(settings.rate_limit_storage).port:
        own.add(port)
    return Rules(parse_allowed(settings.outbound_allow), own)


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
