"""Organizations and who belongs to them, in which role."""

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg

from baseplane.database import Connection, rows
from baseplane.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Organization:
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Membership:
    """An organization as one of its members sees it."""

    slug: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Member:
    user_id: UUID
    name: str
    email: str
    role: str


MISSING = "Organization not found"


def new_slug() -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(20))


async def insert(db: Connection, name: str, owner: str | UUID, slug: str | None = None) -> Organization:
    """Make an organization with its first owner. Raises Conflict when the slug is taken."""
    organization = Organization(slug or new_slug(), name)
    try:
        await db.execute("insert into organizations (slug, name) values (%s, %s)", [organization.slug, name])
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(f"There is an organization {slug} already.") from error
    await db.execute(
        "insert into members (organization_slug, user_id, role) values (%s, %s, 'Owner')", [organization.slug, owner]
    )
    return organization


async def find_of_members(db: Connection, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Membership]:
    """The organizations with these slugs, each as this user sees it. Those of which he is no member are left out:
    strangers need not know that they exist.
    """
    seen = await db.execute(
        "select slug, name, role, user_id from unnest(%s::text[], %s::uuid[]) wanted (organization_slug, user_id)"
        " join members using (organization_slug, user_id) join organizations on slug = organization_slug",
        [[slug for slug, _ in wanted], [user_id for _, user_id in wanted]],
    )
    return {(slug, str(user_id)): Membership(slug, name, role) for slug, name, role, user_id in await seen.fetchall()}


async def list_of(db: Connection, user_id: str) -> list[Membership]:
    return await rows(
        db,
        Membership,
        "select slug, name, role from organizations join members on organization_slug = slug"
        " where user_id = %s order by created_at, slug",
        [user_id],
    )


async def list_all(db: Connection) -> list[Organization]:
    return await rows(db, Organization, "select slug, name from organizations order by created_at, slug")


async def members(db: Connection, slug: str) -> list[Member]:
    return await rows(
        db,
        Member,
        "select user_id, name, email, role from members join users on id = user_id"
        " where organization_slug = %s order by email",
        [slug],
    )


async def set_role(db: Connection, slug: str, user_id: UUID, role: str | None) -> None:
    """Give the user a role in the organization; None ends the membership.

    Raises NotFound, and Conflict when no owner would be left.
    """
    held = await db.execute("select from organizations where slug = %s for update", [slug])
    if not held.rowcount:
        raise NotFound(MISSING)
    if role is None:
        await db.execute("delete from members where organization_slug = %s and user_id = %s", [slug, user_id])
    else:
        await db.execute(
            "insert into members (organization_slug, user_id, role) values (%s, %s, %s)"
            " on conflict (organization_slug, user_id) do update set role = excluded.role",
            [slug, user_id, role],
        )
    owners = await db.execute("select from members where organization_slug = %s and role = 'Owner'", [slug])
    if not owners.rowcount:
        raise Conflict("An organization keeps at least one owner: make another member owner first.")
