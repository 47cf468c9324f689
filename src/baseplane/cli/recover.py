"""`baseplane recover`: an installation on a new machine, out of the archive of the one that is lost."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from baseplane import app
from baseplane.app import belongings, recovery
from baseplane.cli import data_dir, load_settings
from baseplane.cli.up import alone
from baseplane.drivers.archive import BaseBackup, KeyUnknown, owner
from baseplane.drivers.archive.belongings import get as kept_belongings
from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.archive.survey import Archived, survey
from baseplane.drivers.cluster.engines import EngineMissing, InstallFailed, PlatformUnsupported, install, pick
from baseplane.drivers.cluster.layout import PLATFORM
from baseplane.errors import BaseplaneError
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import Project
from baseplane.settings import IS_ROOT, Settings

MAY_BE_THERE = frozenset(
    {
        "platform.key",
        "settings.toml",
        "archive",
        "artifacts",
        "engines",
        "up.lock",
        "installation-id",
        "recovery.json",
        "lost+found",
    }
)
"""What an operator or an earlier attempt puts into the data directory before there is an installation."""
WATCH = 2 * owner.BEAT + 2
"""Seconds in which an installation that lives signs the archive, at least once."""
POLL = 0.5  # seconds


class Refused(BaseplaneError):
    """Nothing was changed; the message says what stands in the way."""


def _moment(_ctx: click.Context, _param: click.Parameter, text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError as error:
        message = f"{text!r} is no moment, such as 2026-01-31T12:00:00Z"
        raise click.BadParameter(message) from error
    if moment and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment and moment > datetime.now(UTC):
        message = f"{text!r} lies in the future; without it, everything that is archived comes back"
        raise click.BadParameter(message)
    return moment


@click.command()
@data_dir
@click.option("--at", callback=_moment, metavar="MOMENT", help="Bring the platform database back as of then (UTC).")
@click.option("--dry-run", is_flag=True, help="Show what the archive holds, and change nothing.")
def recover(data_dir: Path | None, at: datetime | None, dry_run: bool) -> None:
    """Bring everything back on an empty machine, when the one before is lost.

    Set BASEPLANE_ARCHIVE and its credentials as they were, put the copy of platform.key into the data directory, and
    run this; a platform database of your own (BASEPLANE_DATABASE_URL) is yours to bring back before. Then run
    `baseplane up`, which brings the projects back, each to its latest moment. The machine before must
    not come back: should it, it finds that the archive is another's, and says so.
    """
    settings = load_settings(data_dir=data_dir)
    _check_place(settings, at)
    archive = _archive(settings)
    if dry_run:
        found = _look(archive, settings)
        if not settings.database_url:
            _choose(found, at)
        return
    settings.data_dir.chmod(0o711 if IS_ROOT else 0o700)
    with alone(settings):
        asyncio.run(_recover(settings, archive, at))


def _check_place(settings: Settings, at: datetime | None) -> None:
    """Raises Refused."""
    if settings.database_url and at is not None:
        raise Refused("--at: the platform database is yours (BASEPLANE_DATABASE_URL); bring it back as of then first.")
    if settings.archive == app.ARCHIVE_OFF:
        raise Refused("BASEPLANE_ARCHIVE is off: there is nothing to recover from.")
    paths = app.Paths(settings.data_dir)
    place = Path(settings.archive.removeprefix("file://")) if settings.archive else settings.data_dir / "archive"
    if "://" not in str(place) and not place.is_dir():
        raise Refused(f"There is no archive in {place}: BASEPLANE_ARCHIVE says where it is.")
    if not settings.platform_key and not paths.key.is_file():
        raise Refused(f"Put the copy of platform.key there first: {paths.key}. Nothing else opens the archive.")
    there = sorted({entry.name for entry in settings.data_dir.iterdir()} if settings.data_dir.exists() else ())
    strange = [name for name in there if name not in MAY_BE_THERE]
    if strange and not paths.recovery.exists():
        raise Refused(
            f"{settings.data_dir} is not empty: {', '.join(strange[:5])}{' …' if strange[5:] else ''}. A recovery goes"
            " into a data directory that has platform.key, and settings.toml if you like, and nothing else."
        )


def _archive(settings: Settings) -> LocalArchive:
    """Raises Refused when it does not open, ArchiveUnavailable."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    archive = app.archive(settings, app.clusters(settings), app.keyring(settings))
    assert isinstance(archive, LocalArchive)
    try:
        kept_belongings(archive.store, archive.keyring)
    except KeyUnknown as error:
        raise Refused(f"The platform key does not open this archive: {error}") from error
    return archive


def _look(archive: LocalArchive, settings: Settings) -> Mapping[str, Archived]:
    """Say what is there. Raises Refused when there is nothing of what is needed."""
    found = survey(archive.store)
    where = settings.archive or settings.data_dir / "archive"
    platform = found.get(PLATFORM, Archived(PLATFORM, (), None))
    if not found:
        raise Refused(f"The archive in {where} is empty.")
    if not platform.backups and not settings.database_url:
        raise Refused(
            f"The archive in {where} has no backup of a platform database, without which those of projects"
            f" ({len(found)} of them) are of no use."
        )
    click.echo(f"archive    {where}\nwritten by {owner.read(archive.store) or 'nobody who says so'}")
    click.echo(f"{PLATFORM:20}  {len(platform.backups)} backups, log put away until {_text(platform.reaches)}")
    for each in found.values():
        if each is not platform:
            click.echo(f"{each.ref:20}  {len(each.backups)} backups, log put away until {_text(each.reaches)}")
    return found


def _choose(found: Mapping[str, Archived], at: datetime | None) -> BaseBackup:
    """The newest backup of the platform database from before the moment. Raises Refused."""
    backups = found[PLATFORM].backups
    fitting = [backup for backup in backups if at is None or backup.ended_at <= at]
    if not fitting:
        raise Refused(f"--at: the oldest backup of the platform database is from {_text(backups[0].ended_at)}.")
    chosen = fitting[-1]
    click.echo(f"the platform database comes from its backup of {_text(chosen.ended_at)} and the log since")
    return chosen


async def _recover(settings: Settings, archive: LocalArchive, at: datetime | None) -> None:
    found = _look(archive, settings)
    backup = None if settings.database_url else _choose(found, at)
    _get_engines(settings, found)
    await _await_silence(archive)
    _begin(settings, at, in_place=await recovery.is_in_place(archive))
    assert archive.owner is not None
    archive.owner.sign()
    belongings.lay_out(settings.data_dir, kept_belongings(archive.store, archive.keyring))
    settings = load_settings(data_dir=settings.data_dir)  # the file of that name may have come back just now
    projects = await _record(settings, _archive(settings), backup, at, found)
    app.Paths(settings.data_dir).recovery.unlink()
    _tell(projects, found)


async def _record(
    settings: Settings,
    archive: LocalArchive,
    backup: BaseBackup | None,
    at: datetime | None,
    found: Mapping[str, Archived],
) -> list[Project]:
    """Bring the platform database back, unless the operator has, and write the loss down in it; gives all projects."""
    if backup is None:
        return await recovery.record_loss(app.database_url(settings), found)
    click.echo("bringing the platform database back …")
    await recovery.bring_back_platform(archive, backup, at)
    platform = recovery.platform_cluster(settings, backup.engine)
    try:
        return await recovery.record_loss(await platform.ensure(), found)
    finally:
        await platform.stop()


def _get_engines(settings: Settings, found: Mapping[str, Archived]) -> None:
    """Those that the newest backups were taken with: data of one major is of no use to another."""
    for major in sorted({each.backups[-1].engine for each in found.values() if each.backups}):
        try:
            pick(major, settings.engines_dir)
        except EngineMissing:
            try:
                install(major, settings.engines_dir, click.echo)
            except (InstallFailed, PlatformUnsupported) as error:  # what is of another major comes back all the same
                click.echo(f"what Postgres {major} had does not come back without it: {error}")


def _begin(settings: Settings, at: datetime | None, *, in_place: bool) -> None:
    """Write down that this is a recovery: only that may go on in a directory that is not empty. Raises Refused."""
    note = app.Paths(settings.data_dir).recovery
    wanted = {"at": at.isoformat() if at else None}
    if in_place and json.loads(note.read_text()) != wanted:
        raise Refused(
            "The platform database has been brought back already, to another moment: give the same --at as before,"
            f" or empty {settings.data_dir} but for platform.key and begin anew."
        )
    note.write_text(json.dumps(wanted))


async def _await_silence(archive: LocalArchive) -> None:
    """Return once it is clear that nobody else writes. Raises Refused."""
    last = owner.read(archive.store)
    assert archive.owner is not None
    if last is None or last.ended or last.installation == archive.owner.name:
        return
    click.echo(f"looking for {WATCH:g} seconds whether that installation still lives …")
    for _ in range(round(WATCH / POLL)):
        await asyncio.sleep(POLL)
        if (now := owner.read(archive.store)) != last:
            raise Refused(f"The archive is in use by {now}. Two installations must not write into one: end it first.")


def _tell(projects: list[Project], found: Mapping[str, Archived]) -> None:
    known = {project.ref for project in projects}
    for project in projects:
        archived = found.get(project.ref)
        until = f"archived until {_text(archived.reaches)}" if archived else "nothing of it is archived"
        click.echo(f"{project.ref}  {project.status:12}  {project.name}: {until}")
    for ref in found:
        if ref not in known and ref != PLATFORM:
            click.echo(f"{ref}  is in the archive and not in the platform database; it stays there, untouched")
    waiting = sum(project.status == Status.RESTORING for project in projects)
    click.echo(f"The platform database is back. Now `baseplane up` brings {waiting} projects back from their archives.")


def _text(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else "never"
