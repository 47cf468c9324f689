"""`baseplane backups`: how the archives of all projects stand, and what is made from them."""

from datetime import UTC, datetime
from pathlib import Path

import click

from baseplane.cli import data_dir, load_settings
from baseplane.cli.cloning import clone
from baseplane.cli.database import in_transaction
from baseplane.drivers.cluster.layout import PLATFORM
from baseplane.resources.backups.report import Report, report_all
from baseplane.resources.functions import history


@click.group("backups", invoke_without_command=True)
@data_dir
@click.option(
    "--give-up",
    nargs=2,
    metavar="REF SLUG",
    help="Restore project REF without the function SLUG from now on, where it served once: its files are lost.",
)
@click.pass_context
def backups(ctx: click.Context, data_dir: Path | None, give_up: tuple[str, str] | None) -> None:
    """Show the platform's and each project's newest backup, archive and last drill. Ends with 1 if anything is wrong."""
    ctx.obj = data_dir
    if ctx.invoked_subcommand is not None:
        return
    if give_up:
        _give_up(data_dir, *give_up)
    else:
        _show(data_dir)


backups.add_command(clone)


def _show(data_dir: Path | None) -> None:
    settings = load_settings(data_dir=data_dir)
    found = in_transaction(data_dir, lambda db: report_all(db, settings))
    for each in found:
        click.echo(f"{each.ref}  {each.name}")
        for line in _lines(each):
            click.echo(f"    {line}")
    if any(each.problems for each in found):
        raise SystemExit(1)


def _give_up(data_dir: Path | None, ref: str, slug: str) -> None:
    if not in_transaction(data_dir, lambda db: history.give_up(db, ref, slug)):
        raise click.ClickException(
            f"Nothing is known that served as {slug} in project {ref} and does not any more. Delete what serves first."
        )
    click.echo(f"Restores of project {ref} go on without {slug}, where it served until now.")


def _lines(found: Report) -> list[str]:
    newest = "none yet" if found.backed_up_at is None else f"{found.kind}, {_ago(found.backed_up_at)}"
    kept = f", {found.stored / 2**20:.1f} MB kept" if found.stored else ""
    log = "up to date" if found.behind_since is None else f"behind since {_ago(found.behind_since)}"
    drill = "none yet"
    if found.drilled_at is not None:
        drill = f"{'passed' if found.drill_passed else f'failed: {found.drill_cause}'}, {_ago(found.drilled_at)}"
    return [
        f"backup   {newest}{kept}",
        *([f"         the last one failed: {found.failure}"] if found.failure else []),
        f"archive  {log}{f': {found.error}' if found.error else ''}",
        *([] if found.ref == PLATFORM else [f"drill    {drill}"]),
        *_files(found),
    ]


def _files(found: Report) -> list[str]:
    if not found.files_kept and not found.files_waiting:
        return []
    waiting = f", {found.files_waiting} waiting" if found.files_waiting else ""
    error = f": {found.files_error}" if found.files_error else ""
    return [f"files    {found.files_kept} of functions in the archive{waiting}{error}"]


def _ago(moment: datetime) -> str:
    minutes = int((datetime.now(UTC) - moment).total_seconds() // 60)
    return f"{minutes} min ago" if minutes < 120 else f"{moment:%Y-%m-%d %H:%M} UTC"
