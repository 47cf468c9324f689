"""`baseplane user`, `org`, `token`: people, the roles they have, and the tokens they call with; and those of Prometheus."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from baseplane.api.permissions import PERMISSIONS, ROLES
from baseplane.cli import data_dir
from baseplane.cli.database import in_transaction
from baseplane.database import Connection
from baseplane.resources.accounts import store as accounts
from baseplane.resources.organizations import store as organizations

MAX_DAYS = 365
"""Days that a scoped token may live at most, as on the hosted platform (platform.md, section 3)."""


@click.group()
def user() -> None:
    """People who may call the API."""


@user.command("create")
@click.argument("email")
@click.option("--name", help="How to call them; by default what stands before the @.")
@data_dir
def create_user(email: str, name: str | None, data_dir: Path | None) -> None:
    """Make a user. Give them an organization with `baseplane org add`, a token with `baseplane token create`."""
    if "@" not in email.strip("@"):
        raise click.BadParameter(f"{email!r} is not an e-mail address")
    made = in_transaction(data_dir, lambda db: accounts.insert_user(db, email, name or email.partition("@")[0]))
    click.echo(f"user {made.email} is there")


@user.command("list")
@data_dir
def list_users(data_dir: Path | None) -> None:
    """Show all users."""
    for found in in_transaction(data_dir, accounts.list_users):
        click.echo(f"{found.email:40} {found.name:24} since {found.created_at:%Y-%m-%d}")


@user.command("delete")
@click.argument("email")
@data_dir
def delete_user(email: str, data_dir: Path | None) -> None:
    """Remove a user and all their tokens, at once."""
    in_transaction(data_dir, lambda db: accounts.delete_user(db, email))
    click.echo(f"user {email} is gone")


@click.group()
def org() -> None:
    """Organizations, and who belongs to them."""


@org.command("create")
@click.argument("name")
@click.option("--owner", required=True, help="E-mail of its first owner.")
@click.option("--slug", help="Its address in the API; random letters by default.")
@data_dir
def create_org(name: str, owner: str, slug: str | None, data_dir: Path | None) -> None:
    """Make an organization."""

    async def work(db: Connection) -> organizations.Organization:
        return await organizations.insert(db, name, (await accounts.get_user(db, owner)).id, slug)

    made = in_transaction(data_dir, work)
    click.echo(f"organization {made.slug} is there")


@org.command("list")
@data_dir
def list_orgs(data_dir: Path | None) -> None:
    """Show all organizations."""
    for found in in_transaction(data_dir, organizations.list_all):
        click.echo(f"{found.slug:24} {found.name}")


@org.command("members")
@click.argument("slug")
@data_dir
def list_members(slug: str, data_dir: Path | None) -> None:
    """Show who belongs to the organization, and in which role."""
    for member in in_transaction(data_dir, lambda db: organizations.members(db, slug)):
        click.echo(f"{member.email:40} {member.role}")


@org.command("add")
@click.argument("slug")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES, case_sensitive=False), default="Developer", show_default=True)
@data_dir
def add_member(slug: str, email: str, role: str, data_dir: Path | None) -> None:
    """Give a user a role in the organization; a second time changes it."""
    _set_role(data_dir, slug, email, role)
    click.echo(f"{email} is {role} of {slug}")


@org.command("remove")
@click.argument("slug")
@click.argument("email")
@data_dir
def remove_member(slug: str, email: str, data_dir: Path | None) -> None:
    """End a user's membership."""
    _set_role(data_dir, slug, email, None)
    click.echo(f"{email} is no member of {slug}")


def _set_role(path: Path | None, slug: str, email: str, role: str | None) -> None:
    async def work(db: Connection) -> None:
        await organizations.set_role(db, slug, (await accounts.get_user(db, email)).id, role)

    in_transaction(path, work)


@click.group()
def token() -> None:
    """Access tokens of people, and those that read metrics."""


@token.command("create")
@click.argument("email")
@click.option("--name", default="command line", show_default=True)
@click.option("--days", type=click.IntRange(1, MAX_DAYS), help="Days until it expires; never by default.")
@click.option("--permission", "permissions", multiple=True, help="Narrow it to these permissions; repeat for several.")
@click.option("--org", "slugs", multiple=True, help="Narrow it to these organizations.")
@click.option("--project", "refs", multiple=True, help="Narrow it to these projects.")
@data_dir
def create_token(
    email: str,
    name: str,
    days: int | None,
    permissions: tuple[str, ...],
    slugs: tuple[str, ...],
    refs: tuple[str, ...],
    data_dir: Path | None,
) -> None:
    """Make a token for a user and print it, this once."""
    if unknown := sorted(set(permissions) - PERMISSIONS):
        raise click.BadParameter(f"{', '.join(unknown)} is no permission; there are: {', '.join(sorted(PERMISSIONS))}")

    async def work(db: Connection) -> str:
        return await accounts.insert_token(
            db,
            (await accounts.get_user(db, email)).id,
            name,
            permissions=permissions or None,
            organizations=slugs or None,
            projects=refs or None,
            expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
        )

    click.echo(in_transaction(data_dir, work))


@token.command("metrics")
@click.option("--name", default="prometheus", show_default=True)
@click.option("--days", type=click.IntRange(1), help="Days until it expires; never by default.")
@data_dir
def create_metrics_token(name: str, days: int | None, data_dir: Path | None) -> None:
    """Make a token that reads GET /metrics and nothing else, and print it, this once."""
    until = datetime.now(UTC) + timedelta(days=days) if days else None
    click.echo(in_transaction(data_dir, lambda db: accounts.insert_metrics_token(db, name, until)))


@token.command("list")
@data_dir
def list_tokens(data_dir: Path | None) -> None:
    """Show all tokens, by their beginnings."""
    for found in in_transaction(data_dir, accounts.list_tokens):
        until = f"until {found.expires_at:%Y-%m-%d}" if found.expires_at else "no expiry"
        narrowed = f", {len(found.permissions)} permissions" if found.permissions is not None else ""
        click.echo(f"{found.id}  {found.hint}…  {found.email or 'metrics':32} {found.name:20} {until}{narrowed}")


@token.command("revoke")
@click.argument("token_id")
@data_dir
def revoke_token(token_id: str, data_dir: Path | None) -> None:
    """Make a token useless, at once; its id is in `baseplane token list`."""
    in_transaction(data_dir, lambda db: accounts.delete_token(db, token_id))
    click.echo(f"token {token_id} is revoked")
