"""Who may log in to a project with an access token of theirs, and as which role."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from baseplane.database import Connection, maybe, rows, value
from baseplane.database.secrets import Keyring
from baseplane.resources.access import temporary
from baseplane.resources.access.temporary import TemporaryRole


@dataclass(frozen=True, slots=True)
class Grant:
    """``allowed_networks`` is as the caller gave it; no network at all means from anywhere."""

    role: str
    expires_at: datetime | None
    allowed_networks: dict[str, Any] | None
    branches_only: bool | None

    def refusal(self, address: str) -> str | None:
        """Why it does not let anybody in from this address now, if it does not."""
        if self.expires_at and self.expires_at <= datetime.now(UTC):
            return f"the grant of role {self.role} expired at {self.expires_at.isoformat()}"
        if self.branches_only:
            return f"the grant of role {self.role} is for preview branches only"
        networks = [network["cidr"] for family in (self.allowed_networks or {}).values() for network in family or ()]
        if networks and not any(ip_address(address) in ip_network(network) for network in networks):
            return f"the grant of role {self.role} does not hold for connections from {address}"
        return None


@dataclass(frozen=True, slots=True)
class HeldGrant(Grant):
    user_id: UUID
    login: str | None


_GRANT: LiteralString = "role, expires_at, allowed_networks, branches_only, user_id, login"


async def is_enabled(db: Connection, ref: str) -> bool:
    return bool(await value(db, "select token_logins from projects where ref = %s", [ref]))


async def enable(db: Connection, ref: str, enabled: bool) -> None:
    await db.execute("update projects set token_logins = %s where ref = %s", [enabled, ref])


async def list_all(db: Connection, ref: str) -> list[HeldGrant]:
    return await rows(
        db, HeldGrant, "select " + _GRANT + " from token_grants where ref = %s order by user_id, role", [ref]
    )


async def list_of(db: Connection, ref: str, user_id: str | UUID) -> list[HeldGrant]:
    query: LiteralString = "select " + _GRANT + " from token_grants where ref = %s and user_id = %s order by role"
    return await rows(db, HeldGrant, query, [ref, user_id])


async def find(db: Connection, ref: str, user_id: str, role: str) -> HeldGrant | None:
    query: LiteralString = "select " + _GRANT + " from token_grants where ref = %s and user_id = %s and role = %s"
    return await maybe(db, HeldGrant, query, [ref, user_id, role])


async def refusal(db: Connection, ref: str, user_id: str, role: str, address: str) -> str | None:
    """Why this user may not log in as this role from this address now; None if they may."""
    if not await is_enabled(db, ref):
        return "temporary access is disabled for this project; leave out the option jit=on to log in with a password"
    grant = await find(db, ref, user_id, role)
    return grant.refusal(address) if grant else f"no grant of role {role} to you in this project"


async def login_of(db: Connection, ref: str, user_id: str, role: str) -> TemporaryRole | None:
    """The role as which the door logs in for this grant."""
    grant = await find(db, ref, user_id, role)
    return await temporary.get(db, grant.login) if grant and grant.login else None


async def is_member(db: Connection, organization_slug: str, user_id: UUID) -> bool:
    held = "select exists (select from members where organization_slug = %s and user_id = %s)"
    return bool(await value(db, held, [organization_slug, user_id]))


async def replace(
    db: Connection, keyring: Keyring, ref: str, organization_slug: str, user_id: UUID, granted: Sequence[Grant]
) -> None:
    """Give the user these roles and no others. What goes on keeps its sessions."""
    await db.execute("select from projects where ref = %s for update", [ref])  # one at a time
    await db.execute(
        "delete from token_grants where ref = %s and user_id = %s and role <> all(%s)",
        [ref, user_id, [grant.role for grant in granted]],
    )
    held = {grant.role: grant.login for grant in await list_of(db, ref, user_id)}
    for grant in granted:
        login = held.get(grant.role)
        if not await temporary.prolong(db, login, grant.expires_at):
            login = (await temporary.insert_for_tokens(db, keyring, ref, grant.role, grant.expires_at)).name
        await db.execute(
            "insert into token_grants (ref, organization_slug, user_id, role, expires_at, allowed_networks,"
            " branches_only, login) values (%s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict (ref, user_id, role) do update set expires_at = excluded.expires_at,"
            " allowed_networks = excluded.allowed_networks, branches_only = excluded.branches_only, login = excluded.login",
            [
                *(ref, organization_slug, user_id, grant.role, grant.expires_at),
                None if grant.allowed_networks is None else Jsonb(grant.allowed_networks),
                *(grant.branches_only, login),
            ],
        )


async def delete(db: Connection, ref: str, user_id: UUID) -> bool:
    """End all grants of the user in this project; tells whether there were any."""
    cursor = await db.execute("delete from token_grants where ref = %s and user_id = %s", [ref, user_id])
    return cursor.rowcount > 0
