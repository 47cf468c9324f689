"""`baseplane snippet`: SQL texts that people keep with a project. The API reads them, and has no operation to save one."""

from pathlib import Path
from typing import IO, get_args
from uuid import UUID

import click

from baseplane.cli import data_dir
from baseplane.cli.database import in_transaction
from baseplane.database import Connection
from baseplane.errors import NotFound
from baseplane.resources.accounts import store as accounts
from baseplane.resources.projects import store as projects
from baseplane.resources.snippets import store
from baseplane.resources.snippets.store import Visibility

MAX_NAME = 200  # characters
MAX_SQL = 1024 * 1024  # bytes


@click.group()
def snippet() -> None:
    """SQL snippets, as `supabase snippets list` and `download` show them."""


@snippet.command("add")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--project", "ref", required=True, metavar="REF", help="The project it is kept with.")
@click.option("--user", "email", required=True, metavar="EMAIL", help="Whose it is: a member of the organization.")
@click.option("--name", required=True)
@click.option("--description")
@click.option(
    "--visibility",
    type=click.Choice(get_args(Visibility)),
    default="user",
    show_default=True,
    help="Who sees it: its owner, the project's members, the organization's, everybody who has its id.",
)
@click.option("--favorite", is_flag=True, help="Mark it as a favourite of its owner.")
@data_dir
def add_snippet(
    file: IO[bytes],
    ref: str,
    email: str,
    name: str,
    description: str | None,
    visibility: Visibility,
    favorite: bool,
    data_dir: Path | None,
) -> None:
    """Keep the SQL in FILE, or on standard input, and print its id."""
    if not 0 < len(name) <= MAX_NAME:
        raise click.BadParameter(f"--name is 1 to {MAX_NAME} characters long")
    sql = _read(file)

    async def work(db: Connection) -> UUID:
        owner = await accounts.get_user(db, email)
        try:
            await projects.get_of_member(db, ref, str(owner.id))
        except NotFound as error:
            raise NotFound(f"{email} has no project {ref}; `baseplane org add` makes members.") from error
        return await store.insert(
            db,
            project_ref=ref,
            owner_id=owner.id,
            name=name,
            sql=sql,
            description=description,
            visibility=visibility,
            favorite=favorite,
        )

    click.echo(in_transaction(data_dir, work))


def _read(file: IO[bytes]) -> str:
    """Raises click.BadParameter."""
    content = file.read(MAX_SQL + 1)
    if len(content) > MAX_SQL:
        raise click.BadParameter(f"the SQL is larger than {MAX_SQL // 1024} kB")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise click.BadParameter("the SQL is not UTF-8") from error
    if "\0" in text:
        raise click.BadParameter("the SQL holds the null character")
    if not text.strip():
        raise click.BadParameter("the SQL is empty")
    return text


@snippet.command("list")
@click.option("--project", "ref", metavar="REF", help="Only those of this project.")
@data_dir
def list_snippets(ref: str | None, data_dir: Path | None) -> None:
    """Show all snippets, whoever may see them."""
    for found in in_transaction(data_dir, lambda db: store.list_all(db, ref)):
        click.echo(f"{found.id}  {found.project_ref}  {found.visibility:8} {found.email:32} {found.name}")


@snippet.command("remove")
@click.argument("snippet_id", type=click.UUID)
@data_dir
def remove_snippet(snippet_id: UUID, data_dir: Path | None) -> None:
    """Delete a snippet; its id is in `baseplane snippet list`."""
    in_transaction(data_dir, lambda db: store.delete(db, snippet_id))
    click.echo(f"snippet {snippet_id} is gone")
