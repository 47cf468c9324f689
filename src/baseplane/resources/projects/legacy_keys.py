"""The legacy pair of a project's API keys: JWTs for its roles anon and service_role, signed with its JWT secret."""

from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey

from baseplane.database import Connection, value
from baseplane.resources.projects.store import Project

ROLES = ("anon", "service_role")
TEN_YEARS = 10 * 365 * 24 * 3600  # seconds


def claims(project: Project, role: str) -> dict[str, Any]:
    """The same at every call: computed from what the project is."""
    issued = int(project.created_at.timestamp())
    return {"iss": "supabase", "ref": project.ref, "role": role, "iat": issued, "exp": issued + TEN_YEARS}


def key(project: Project, role: str, jwt_secret: str) -> str:
    return jwt.encode({"alg": "HS256", "typ": "JWT"}, claims(project, role), OctKey.import_key(jwt_secret.encode()))


async def are_enabled(db: Connection, ref: str) -> bool:
    """Whether they open anything."""
    return bool(await value(db, "select legacy_keys from projects where ref = %s", [ref]))


async def enable(db: Connection, ref: str, *, enabled: bool) -> None:
    await db.execute("update projects set legacy_keys = %s where ref = %s", [enabled, ref])


async def lock(db: Connection, ref: str) -> None:
    """Until the end of the transaction, nobody else changes which keys the project has."""
    await db.execute("select from projects where ref = %s for no key update", [ref])
