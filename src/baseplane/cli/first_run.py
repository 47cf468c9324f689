"""What the first `baseplane up` leaves behind: an owner, an organization, a token, and a profile for the official CLI."""

import os
from pathlib import Path

from baseplane.app import Paths
from baseplane.database import Database
from baseplane.resources.accounts import store as accounts
from baseplane.resources.organizations import store as organizations
from baseplane.settings import Settings

OWNER = "owner@baseplane.test"
ORGANIZATION = "Default organization"


async def ensure_owner(database: Database, paths: Paths) -> str | None:
    """Make the first user, organization and token, unless there is a user; gives the token."""
    async with database.transaction() as db:
        await db.execute("lock table users in exclusive mode")
        if await accounts.list_users(db):
            return None
        owner = await accounts.insert_user(db, OWNER, "owner")
        await organizations.insert(db, ORGANIZATION, owner.id)
        token = await accounts.insert_token(db, owner.id, "made by the first baseplane up")
        write_private(paths.access_token, token + "\n")
    return token


def write_private(file: Path, text: str) -> None:
    """Write a file that nobody else may read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        os.fchmod(descriptor, 0o600)
        stream.write(text)


def write_profile(settings: Settings, file: Path) -> None:
    """The profile for `supabase --profile`. The CLI refuses keys that it does not know (clients.md, section 1)."""
    fields = {
        "name": "baseplane",
        "api_url": settings.api_url,
        "dashboard_url": settings.api_url,
        "docs_url": f"{settings.api_url}/docs",
        "project_host": settings.project_host,
        "pooler_host": settings.project_host,
    }
    file.write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))
