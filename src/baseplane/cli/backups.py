"""`baseplane backups`: how the archives of all projects stand, and what is made from them."""

from datetime import UTC, datetime
from pathlib import Path

import click

from baseplane.cli import data_dir
from baseplane.cli.cloning import clone
from baseplane.cli.database import in_transaction
from baseplane.resources.backups.report import Report, report


@click.group("backups", invoke_without_command=True)
@data_dir
@click.pass_context
def backups(ctx: click.Context, data_dir: Path | None) -> None:
    """Show each project's newest backup, its archive and its last drill. Ends with 1 if anything is wrong."""
    ctx.obj = data_dir
    if ctx.invoked_subcommand is None:
        _show(data_dir)


backups.add_command(clone)


def _show(data_dir: Path | None) -> None:
    found = in_transaction(data_dir, report)
    for each in found:
        click.echo(f"{each.ref}  {each.name}")
        for line in _lines(each):
            click.echo(f"    {line}")
    if any(_is_wrong(each) for each in found):
        raise SystemExit(1)


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
        f"drill    {drill}",
    ]


def _is_wrong(found: Report) -> bool:
    return bool(found.error or found.failure or found.drill_passed is False)


def _ago(moment: datetime) -> str:
    minutes = int((datetime.now(UTC) - moment).total_seconds() // 60)
    return f"{minutes} min ago" if minutes < 120 else f"{moment:%Y-%m-%d %H:%M} UTC"
