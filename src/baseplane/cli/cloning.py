"""`baseplane backups clone`: a new project from another's archive. The API has no operation for it."""

import asyncio
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pydantic

from baseplane import app
from baseplane.app.drivers import ARCHIVE_OFF
from baseplane.cli import data_dir, load_settings
from baseplane.cli.database import in_transaction
from baseplane.database import Connection, Database
from baseplane.drivers.archive.absent import OFF
from baseplane.errors import Invalid
from baseplane.resources.backups import choosing, clones
from baseplane.resources.backups.choosing import Chosen
from baseplane.resources.cloning import asking
from baseplane.resources.organizations import store as organizations
from baseplane.resources.organizations.schemas import Name
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.schemas import Password
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import Project
from baseplane.resources.regions import choose, choose_size
from baseplane.settings import Settings
from baseplane.workflows import journal

LOOK_EVERY = 0.05
"""Seconds between two looks at how far it is."""


class Moment(click.ParamType[datetime]):
    """A point in time, in UTC unless it names another zone, or in seconds since 1970."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromtimestamp(int(value), UTC) if value.isdecimal() else datetime.fromisoformat(value)
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value!r} is no time such as '2026-11-27 02:10:00', which is in UTC", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


def checked(kind: Any) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """What the API would take for the same field."""
    adapter = pydantic.TypeAdapter[str](kind)

    def check(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
        try:
            return value and adapter.validate_python(value)
        except pydantic.ValidationError as error:
            raise click.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, ")) from error

    return check


@dataclass(frozen=True, slots=True)
class Wanted:
    """None of ``at``, ``backup`` and ``point`` is the newest."""

    ref: str
    name: str
    password: str
    at: datetime | None
    backup: int | None
    point: str | None
    organization: str | None
    region: str | None
    size: str | None


@click.command("clone")
@click.argument("ref")
@click.option("--name", required=True, callback=checked(Name), help="What the new project is called.")
@click.option("--at", type=Moment(), help="As it was at this time, in UTC.  [default: as it is now]")
@click.option("--backup", type=click.IntRange(1, 2**63 - 1), metavar="ID", help="As it was at the end of this backup.")
@click.option("--point", metavar="NAME", help="As it was at this restore point.")
@click.option("--org", "organization", metavar="SLUG", help="Whose it is.  [default: that of REF]")
@click.option("--region", help="[default: that of REF]")
@click.option("--size", help="[default: that of REF]")
@click.option(
    "--db-password", callback=checked(Password), help="Of its role postgres.  [default: asked for, or generated]"
)
@click.option("--wait/--no-wait", default=True, help="Show how far it is until it serves.  [default: wait]")
@data_dir
@click.pass_context
def clone(ctx: click.Context, /, *, wait: bool, db_password: str | None, data_dir: Path | None, **given: Any) -> None:
    """Make a new project from the backups of project REF, and print its ref.

    It has REF's data and roles and is otherwise a project of its own: no password, key or secret of REF opens it.
    REF is not touched: it may be paused, or have lost its data.
    """
    if sum(given[option] is not None for option in ("at", "backup", "point")) > 1:
        raise click.UsageError("Choose one of --at, --backup and --point.")
    password = db_password or _ask_for_password()
    settings = load_settings(data_dir=data_dir or ctx.obj)
    wanted = Wanted(password=password or secrets.token_urlsafe(18), **given)
    project = in_transaction(settings.data_dir, lambda db: _begin(db, settings, wanted))
    click.echo(project.ref)
    if not password:
        click.echo(f"database password: {wanted.password}")
    if wait:
        asyncio.run(_follow(app.database_url(settings), project))


def _ask_for_password() -> str:
    if not sys.stdin.isatty():
        return ""
    asked = "Database password of the new project, empty to have one generated"
    typed = click.prompt(asked, default="", hide_input=True, show_default=False, err=True)
    return checked(Password)(click.get_current_context(), click.Option(["--db-password"]), typed) or ""


async def _begin(db: Connection, settings: Settings, wanted: Wanted) -> Project:
    if settings.archive == ARCHIVE_OFF:
        raise Invalid(OFF)
    source = await projects.get(db, wanted.ref)
    chosen = await _choose(db, settings, source, wanted)
    if wanted.organization not in (None, *(each.slug for each in await organizations.list_all(db))):
        raise Invalid(f"--org: there is no organization {wanted.organization}; `baseplane org list` shows them.")
    return await asking.ask(
        db,
        app.keyring(settings),
        source,
        chosen,
        name=wanted.name,
        password=wanted.password,
        organization_slug=wanted.organization,
        region=wanted.region and choose(settings, code=wanted.region, field="--region"),
        size=wanted.size and choose_size(settings, wanted.size, field="--size"),
    )


async def _choose(db: Connection, settings: Settings, source: Project, wanted: Wanted) -> Chosen:
    if wanted.at is not None:
        return await choosing.moment(db, settings, source, wanted.at, field="--at")
    if wanted.backup is not None:
        return await choosing.as_backed_up(db, source, wanted.backup)
    if wanted.point is not None:
        return await choosing.point(db, source, wanted.point, field="--point")
    return await choosing.newest(db, settings, source)


async def _follow(url: str, project: Project) -> None:
    """Tell each step on standard error, until it serves. Raises click.ClickException with the cause if it never will."""
    began, told = time.monotonic(), ""
    async with Database(url, max_size=1) as database:
        while True:
            async with database.connection() as db:
                step, now = await journal.current_step(db, project.ref), await projects.find(db, project.ref)
                made = await clones.find(db, project.ref)
            if now is None or now.status != Status.COMING_UP:
                break
            if (step or "") != told:
                told = step or ""
                click.echo(f"  {told.replace('_', ' ')} …", err=True)
            await asyncio.sleep(LOOK_EVERY)
    if now is None or now.status not in (Status.ACTIVE_HEALTHY, Status.ACTIVE_UNHEALTHY):
        raise click.ClickException(
            f"{project.ref} is {now.status if now else 'gone'}. {(now and now.cause) or ''}".strip()
        )
    newest = (
        f"; its newest transaction is of {made.last_commit:%Y-%m-%d %H:%M:%S %Z}" if made and made.last_commit else ""
    )
    click.echo(f"{now.status} after {time.monotonic() - began:.1f} s{newest}", err=True)
