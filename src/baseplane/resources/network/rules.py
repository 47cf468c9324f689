"""What the Postgres door asks about a visitor's network, and what it tells here."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Self

from baseplane.database import Connection
from baseplane.drivers.cluster import Role
from baseplane.drivers.ingress import Refused, Visitor
from baseplane.drivers.ingress.startup import NOT_ALLOWED
from baseplane.resources.network import bans
from baseplane.resources.network.addresses import Network, is_own
from baseplane.resources.network.bans import Policy
from baseplane.settings import Settings

WRONG_CREDENTIALS = frozenset({"28P01", "28000"})
"""invalid_password, which an unknown role gets too, and what Postgres says to a role that may not log in."""
PLATFORM = frozenset(Role)
"""The platform itself comes as these, from wherever it runs, to see whether a project is healthy."""


async def check_network(db: Connection, visitor: Visitor) -> None:
    """TLS where it is enforced, and an address from the allowed networks. Raises Refused."""
    cursor = await db.execute(
        "select (select wanted from ssl_enforcement where ref = %(ref)s),"
        " (select %(address)s::inet <<= any(allowed) from network_restrictions where ref = %(ref)s)",
        {"ref": visitor.ref, "address": visitor.address},
    )
    tls_enforced, allowed = await cursor.fetchone() or (None, None)
    if tls_enforced and not visitor.encrypted:
        raise Refused(
            f"project {visitor.ref} takes encrypted connections only",
            sqlstate=NOT_ALLOWED,
            hint="Connect with sslmode=require or stricter.",
        )
    if allowed is False and visitor.user not in PLATFORM:
        one = f"{visitor.address}/{ip_address(visitor.address).max_prefixlen}"
        raise Refused(
            f"address {visitor.address} is in none of the networks that project {visitor.ref} allows",
            sqlstate=NOT_ALLOWED,
            hint=f"Add {one} to the project's network restrictions, or connect from an allowed address.",
        )


@dataclass(frozen=True, slots=True)
class BanRule:
    """Bans who fails too often, except this machine's own addresses and those of networks ``never``."""

    policy: Policy
    never: tuple[Network, ...]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        within, lasting = timedelta(minutes=settings.ban_within), timedelta(minutes=settings.ban_for)
        return cls(Policy(settings.ban_after, within, lasting), settings.ban_never)

    async def check(self, db: Connection, visitor: Visitor) -> None:
        """For those who come; those inside have shown a password, whatever others do at their address. Raises Refused."""
        if visitor.user in PLATFORM:
            return
        ban = await bans.find(db, visitor.ref, visitor.address)
        if ban is not None and not self._exempts(visitor.address):
            raise Refused(
                f"address {visitor.address} is banned from project {visitor.ref} until {ban.end}:"
                f" {ban.failures} logins failed",
                sqlstate=NOT_ALLOWED,
                hint=f"Wait, or remove {ban.address} from the project's network bans.",
            )

    async def note(self, db: Connection, visitor: Visitor, sqlstate: str) -> None:
        """Witness to a login that Postgres refused."""
        if self.policy.after and sqlstate in WRONG_CREDENTIALS and not self._exempts(visitor.address):
            await bans.count_failure(db, visitor.ref, visitor.address, visitor.user, sqlstate, self.policy)

    def _exempts(self, address: str) -> bool:
        return is_own(address) or any(ip_address(address) in network for network in self.never)
