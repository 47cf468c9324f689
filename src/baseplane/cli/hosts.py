"""`baseplane hosts`: the names that clients look for, as lines of a hosts file, which knows no wildcards."""

import asyncio
import os
import tempfile
from pathlib import Path

import click

from baseplane import app
from baseplane.cli import data_dir, load_settings
from baseplane.database import Database
from baseplane.resources.projects import replicas, store
from baseplane.resources.projects.status import Status

HOSTS = Path("/etc/hosts")
BEGIN, END = "# baseplane {host}: begin", "# baseplane {host}: end"
"""Around the lines that are ours; one block for each installation, told apart by its domain."""


@click.command()
@click.option("--write", is_flag=True, help="Put them into the hosts file, in a block of their own.")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=HOSTS,
    show_default=True,
    help="Which one.",
)
@data_dir
def hosts(data_dir: Path | None, path: Path, write: bool) -> None:
    """Print the host names of all projects as lines of a hosts file, or keep them in one."""
    settings = load_settings(data_dir=data_dir)
    text = block(settings.project_host, settings.door_address, asyncio.run(_databases(app.database_url(settings))))
    if not write:
        click.echo(text, nl=False)
        return
    try:
        changed = put(path, settings.project_host, text)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written ({error.strerror}): run this as root.") from error
    click.echo(f"{path} {'now has' if changed else 'already had'} the names of this installation")


async def _databases(url: str) -> list[str]:
    """The names of all projects, and after each those of its read replicas."""
    async with Database(url, max_size=1) as database, database.connection() as db:
        refs = [project.ref for project in await store.list_in(db, set(Status) - {Status.REMOVED})]
        followers = await replicas.by_project(db, refs)
    return [name for ref in refs for name in (ref, *(replica.identifier for replica in followers.get(ref, ())))]


def block(host: str, address: str, databases: list[str]) -> str:
    """The marked lines: the pooler's name, and two for every database."""
    names = [f"pooler.{host}", *(f"db.{name}.{host} {name}.{host}" for name in databases)]
    return "\n".join([BEGIN.format(host=host), *(f"{address} {name}" for name in names), END.format(host=host), ""])


def put(path: Path, host: str, text: str) -> bool:
    """Replace the block of ``host`` in the file, or add it; every other byte stays. Tells whether anything changed.

    Raises click.ClickException when a marker stands alone, OSError.
    """
    before = path.read_bytes() if path.exists() else b""
    begin, end = (f"{marker.format(host=host)}\n".encode() for marker in (BEGIN, END))
    start = _line(before, begin)
    stop = _line(before, end, max(start, 0))
    if (start < 0) != (stop < 0) or _line(before, begin, start + 1 if start >= 0 else len(before)) >= 0:
        raise click.ClickException(
            f"{path} has a broken block of {host}: remove its lines that begin with # baseplane."
        )
    if start < 0:
        after = before + (b"\n" if before and not before.endswith(b"\n") else b"") + text.encode()
    else:
        after = before[:start] + text.encode() + before[stop + len(end) :]
    if after != before:
        _replace(path, after)
    return after != before


def _line(content: bytes, line: bytes, since: int = 0) -> int:
    """Where this whole line stands, from a position on; -1 if it does not."""
    at = content.find(line, since)
    while at > 0 and content[at - 1 : at] != b"\n":
        at = content.find(line, at + 1)
    return at


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all, with the rights that the file has; in place where it is mounted by itself (containers)."""
    path = path.resolve()
    if os.path.ismount(path):
        path.write_bytes(content)
        return
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o644)
        if path.exists() and os.geteuid() == 0:
            os.chown(fresh, path.stat().st_uid, path.stat().st_gid)
        Path(fresh).replace(path)
    except OSError:
        Path(fresh).unlink(missing_ok=True)
        raise
