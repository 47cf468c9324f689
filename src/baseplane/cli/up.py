"""`baseplane up`: everything in one foreground process tree."""

import asyncio
import contextlib
import fcntl
import http.client
import json
import os
import signal
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from baseplane import app
from baseplane.cli import data_dir, first_run, load_settings, ports, returning
from baseplane.cli.nursery import Nursery
from baseplane.cli.supervisor import Supervisor, adopt_orphans
from baseplane.database import Database, migrations
from baseplane.drivers.archive import ArchiveDriver, ArchiveTaken, ArchiveUnavailable
from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster.engines import EngineMissing, InstallFailed, PlatformUnsupported, install, pick
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.cluster.platform import PlatformCluster
from baseplane.drivers.pooler.local import LocalPoolers
from baseplane.drivers.rest import program
from baseplane.errors import Unavailable
from baseplane.settings import IS_ROOT, Settings

READY_WITHIN = 60.0  # seconds for the API and the doors to answer
HTTPS, HTTPS_INSTEAD = 443, 8443


@click.command()
@data_dir
@click.option("--listen", metavar="HOST:PORT", help="Where to serve the API.  [env: BASEPLANE_LISTEN]")
def up(data_dir: Path | None, listen: str | None) -> None:
    """Start everything: platform database, API, worker, both doors. Ctrl-C stops it all."""
    settings = load_settings(data_dir=data_dir, listen=listen)
    nursery = Nursery() if sys.platform == "linux" else None
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    settings.data_dir.chmod(0o711 if IS_ROOT else 0o700)  # as root, Postgres' own user passes through
    with alone(settings):
        if app.Paths(settings.data_dir).recovery.exists():
            raise Unavailable(f"A recovery into {settings.data_dir} was broken off: run `baseplane recover` once more.")
        settings = _with_free_ports(settings)
        asyncio.run(_up(settings, nursery))


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the data directory. Raises Unavailable naming the process that has it."""
    with (settings.data_dir / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise Unavailable(
                f"Baseplane runs on {settings.data_dir} already, as process {file.read().strip()}."
                " Stop that one, or give this one another --data-dir."
            ) from error
        _write_pid(file)
        yield


def _write_pid(file: IO[str]) -> None:
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()


def _with_free_ports(settings: Settings) -> Settings:
    """The API's port is the one asked for or none; those of the doors give way to others. Raises Unavailable."""
    if settings.listen_port and not ports.is_free(settings.listen_host, settings.listen_port):
        raise Unavailable(
            f"Port {settings.listen_port} of {settings.listen_host} is taken{ports.holder(settings.listen_port)}."
            " Free it, or choose another with --listen HOST:PORT."
        )
    api = settings.listen_port or ports.free_near(settings.listen_host, 0)
    chosen: dict[str, object] = {"listen": f"{settings.listen_host}:{api}"}
    taken = {api}
    for name in ("postgres_port", "pooler_port", "http_port", "https_port"):
        wanted = getattr(settings, name)
        is_own = wanted == HTTPS and ports.is_free(settings.ingress_host, HTTPS)
        port = ports.free_near(settings.ingress_host, wanted if is_own or wanted != HTTPS else HTTPS_INSTEAD)
        while port in taken:
            port = ports.free_near(settings.ingress_host, port + 1)
        if wanted and port != wanted:
            click.echo(f"port {wanted} is taken{ports.holder(wanted)}; {port} is used instead")
        taken.add(port)
        chosen[name] = port
    return settings.model_copy(update=chosen)


async def _up(settings: Settings, nursery: Nursery | None) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    adopt_orphans()
    paths = app.Paths(settings.data_dir)
    paths.ready.unlink(missing_ok=True)
    clusters, platform = _prepare_engine(settings)
    archive = app.archive(settings, clusters, app.keyring(settings))
    await _take_up(archive)
    supervisor = None
    try:
        url = await _prepare(settings, clusters, platform)
        token = await _first_user(url, paths)
        first_run.write_profile(settings, paths.profile)
        supervisor = _start_parts(settings, url, paths, nursery)
        if await _ready(settings, supervisor, stopped):
            _announce(settings, paths, token)
            telling = asyncio.create_task(returning.tell(url, click.echo))
            await _until(stopped, supervisor)
            telling.cancel()
    finally:
        paths.ready.unlink(missing_ok=True)
        click.echo("\nstopping …")
        if supervisor:
            await supervisor.stop()
        await LocalPoolers(clusters.layout, clusters.account).stop_all()
        await clusters.stop_all()
        if platform:
            await platform.stop()
        await _carry_the_rest(archive)
        click.echo("stopped")


async def _take_up(archive: ArchiveDriver) -> None:
    """Say that the archive is ours. Raises ArchiveTaken."""
    try:
        await archive.hold()
    except ArchiveTaken:
        raise
    except ArchiveUnavailable as error:
        click.echo(f"the log waits until there is an archive: {error}")


async def _carry_the_rest(archive: ArchiveDriver) -> None:
    """Postgres has closed its last segments: with these in the archive, it has all that this machine has."""
    waiting = [progress for progress in await archive.ship() if progress.waiting]
    try:
        await archive.leave()
    except ArchiveUnavailable as error:
        click.echo(f"the archive could not be told that this is the end: {error}")
    for progress in waiting:
        click.echo(f"not in the archive: the last log of {progress.ref}: {progress.error or 'Postgres keeps it'}")


def _prepare_engine(settings: Settings) -> tuple[LocalClusters, PlatformCluster | None]:
    """Raises InstallFailed, EngineMissing, DriverUnavailable."""
    try:
        engine = pick(settings.engine, settings.engines_dir)
    except EngineMissing:
        engine = install(settings.engine, settings.engines_dir, click.echo)
    try:
        program.install(settings.engines_dir, click.echo)
    except (InstallFailed, PlatformUnsupported) as error:  # all but the Data API does without
        click.echo(f"no Data API: {error}")
    clusters = app.clusters(settings)
    if settings.database_url:
        return clusters, None
    return clusters, PlatformCluster(clusters.layout, settings.engines_dir, clusters.account, engine, clusters.rpo)


async def _prepare(settings: Settings, clusters: LocalClusters, platform: PlatformCluster | None) -> str:
    """Everything that the parts expect to be there; gives the platform database's URL."""
    await clusters.prepare(settings.engine, click.echo)
    if platform is not None:
        click.echo("starting the platform database …")
        url = await platform.ensure()
    else:
        url = app.database_url(settings)
    await asyncio.to_thread(migrations.upgrade, url)
    Authority(app.Paths(settings.data_dir).authority).server_context(f"pooler.{settings.project_host}")
    return url


async def _first_user(url: str, paths: app.Paths) -> str | None:
    async with Database(url, max_size=1) as database:
        return await first_run.ensure_owner(database, paths)


def _start_parts(settings: Settings, url: str, paths: app.Paths, nursery: Nursery | None) -> Supervisor:
    environment = {
        "BASEPLANE_DATA_DIR": str(settings.data_dir),
        "BASEPLANE_DATABASE_URL": url,
        "BASEPLANE_LISTEN": settings.listen,
        "BASEPLANE_POSTGRES_PORT": str(settings.postgres_port),
        "BASEPLANE_POOLER_PORT": str(settings.pooler_port),
        "BASEPLANE_HTTP_PORT": str(settings.http_port),
        "BASEPLANE_HTTPS_PORT": str(settings.https_port),
    }
    paths.logs.mkdir(exist_ok=True)
    paths.logs.chmod(0o700)  # what functions write may be secret
    supervisor = Supervisor(environment, click.echo, nursery)
    for name in ("ingress", "gateway", "caddy", "worker", "api"):
        supervisor.start(name, "--log-file", str(paths.logs / f"{name}.log"))
    return supervisor


async def _ready(settings: Settings, supervisor: Supervisor, stopped: asyncio.Event) -> bool:
    """Wait until the API and the doors answer. Raises Unavailable when a part dies or the time is over."""
    deadline = asyncio.get_running_loop().time() + READY_WITHIN
    while not stopped.is_set():
        if part := supervisor.died():
            log = app.Paths(settings.data_dir).log_of(part.name)
            raise Unavailable(f"The {part.name} did not start; {log} says why: {_last_line(log)}")
        if await asyncio.to_thread(_all_answer, settings):
            return True
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(f"Not all parts answered within {READY_WITHIN:g} seconds; see {settings.data_dir}/log.")
        await asyncio.sleep(0.05)
    return False


def _all_answer(settings: Settings) -> bool:
    host = settings.door_host
    return (
        not ports.is_free(settings.ingress_host, settings.postgres_port)
        and _answers(http.client.HTTPConnection(settings.listen, timeout=2))
        and _answers(http.client.HTTPConnection(host, settings.http_port, timeout=2))
        and _answers(http.client.HTTPSConnection(host, settings.https_port, timeout=2, context=_by_address(settings)))
    )


def _by_address(settings: Settings) -> ssl.SSLContext:
    """Trusts our own authority; what is called by its address shows a certificate for its name."""
    context = ssl.create_default_context(cafile=app.Paths(settings.data_dir).authority / "ca.pem")
    context.check_hostname = False
    return context


def _answers(connection: http.client.HTTPConnection) -> bool:
    """Whether the API or the gateway behind it is healthy."""
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    return False


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError, LookupError, ValueError):
        line = json.loads(log.read_text().splitlines()[-1])
        return str(line.get("exception") or line.get("message") or line["msg"]).splitlines()[-1]
    return "it logged nothing"


async def _until(stopped: asyncio.Event, supervisor: Supervisor) -> None:
    watching = asyncio.create_task(supervisor.watch())
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({watching, waiting}, return_when=asyncio.FIRST_COMPLETED)
    watching.cancel()
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


def _announce(settings: Settings, paths: app.Paths, token: str | None) -> None:
    facts = {
        "api_url": settings.api_url,
        "http_url": f"http://{settings.door_host}:{settings.http_port}",
        "ports": {
            "api": settings.listen_port,
            "postgres": settings.postgres_port,
            "pooler": settings.pooler_port,
            "http": settings.http_port,
            "https": settings.https_port,
        },
        "pid": os.getpid(),
        "data_dir": str(settings.data_dir),
        "project_host": settings.project_host,
        "profile": str(paths.profile),
        "access_token": str(paths.access_token),
        "ca": str(paths.authority / "ca.pem"),
    }
    fresh = paths.ready.with_suffix(".new")
    fresh.write_text(json.dumps(facts, indent=2) + "\n")
    fresh.replace(paths.ready)
    if token:
        click.echo(f"\nYour access token, shown this once and kept in {paths.access_token}:\n  {token}")
    click.echo(f"""
Baseplane is ready.
  API       {settings.api_url}      (documentation: {settings.api_url}/docs)
  Postgres  {settings.ingress_host}:{settings.postgres_port}, user postgres.<project ref>
  Projects  {settings.url_of("<project ref>")}
  Data      {settings.data_dir}

Try:
  export SUPABASE_ACCESS_TOKEN=$(cat {paths.access_token})
  curl -H "Authorization: Bearer $SUPABASE_ACCESS_TOKEN" {settings.api_url}/v1/organizations
  npx supabase --profile {paths.profile} projects list

Ctrl-C stops everything.""")
