"""Addresses that failed to log in too often: a row and all SQL on its table."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from baseplane.database import Connection, maybe, rows, value
from baseplane.resources.network.addresses import Network, short, site_of

MOST = 1000
"""Sources of failed logins that are remembered per project; beyond it those that matter least are forgotten."""


@dataclass(frozen=True, slots=True)
class Ban:
    """``failures`` logins failed from ``network`` since ``since``; ``role`` and ``sqlstate`` are those of the last."""

    network: Network
    failures: int
    since: datetime
    role: str
    sqlstate: str
    banned_until: datetime

    @property
    def address(self) -> str:
        return short(self.network)

    @property
    def end(self) -> str:
        return f"{self.banned_until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

    @property
    def reason(self) -> str:
        began = f"{self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.failures} failed logins since {began}, last as role {self.role} ({self.sqlstate})"


_BAN = "network, failures, since, role, sqlstate, banned_until"


async def in_force(db: Connection, ref: str) -> list[Ban]:
    query = f"select {_BAN} from login_failures where ref = %s and banned_until > now() order by network"
    return await rows(db, Ban, query, [ref])


async def find(db: Connection, ref: str, address: str) -> Ban | None:
    """The ban that keeps the address out, if there is one."""
    query = f"select {_BAN} from login_failures where ref = %s and network = %s::cidr and banned_until > now()"
    return await maybe(db, Ban, query, [ref, str(site_of(address))])


async def lift(db: Connection, ref: str, networks: Collection[Network]) -> list[Ban]:
    """Forget what failed there; gives the bans that were in force."""
    query = (
        "with gone as (delete from login_failures where ref = %s and network = any(%s::text[]::cidr[])"
        f" returning {_BAN}) select * from gone where banned_until > now() order by network"
    )
    return await rows(db, Ban, query, [ref, [str(network) for network in networks]])


@dataclass(frozen=True, slots=True)
class Policy:
    """``after`` failed logins ``within`` this time ban an address, for as long as ``lasting``."""

    after: int
    within: timedelta
    lasting: timedelta


_COUNT = """
    insert into login_failures as f (ref, network, role, sqlstate, banned_until)
    values (%(ref)s, %(network)s::cidr, %(role)s, %(sqlstate)s,
        case when %(after)s::int <= 1 then now() + %(lasting)s::interval end)
    on conflict (ref, network) do update set (failures, since, role, sqlstate, banned_until) = (
        select n, began, excluded.role, excluded.sqlstate,
            coalesce(ends, case when n >= %(after)s::int then now() + %(lasting)s::interval end)
        from (
            select (case when goes_on then f.failures else 0 end) + 1 as n,
                case when goes_on then f.since else now() end as began,
                case when goes_on then f.banned_until end as ends
            from (select coalesce(f.banned_until > now(), f.since > now() - %(within)s::interval) as goes_on) state
        ) latest
    )
    returning xmax = 0 as is_new
"""

_FORGET = """
    delete from login_failures f using (
        select ref, network from login_failures
        where ref = %(ref)s and network <> %(network)s::cidr
        order by banned_until desc nulls last, since desc offset %(most)s for update skip locked
    ) surplus where f.ref = surplus.ref and f.network = surplus.network
"""


async def count_failure(db: Connection, ref: str, address: str, role: str, sqlstate: str, policy: Policy) -> None:
    """One more. The one with which there are too many begins a ban, which later ones do not prolong."""
    params: dict[str, object] = {
        "ref": ref,
        "network": str(site_of(address)),
        "role": role[:63],  # as long as a role's name can be
        "sqlstate": sqlstate,
        "after": policy.after,
        "within": policy.within,
        "lasting": policy.lasting,
        "most": MOST - 1,
    }
    if await value(db, _COUNT, params):
        await db.execute(_FORGET, params)


async def sweep(db: Connection, within: timedelta) -> None:
    """Forget what failed too long ago to matter."""
    await db.execute(
        "delete from login_failures where coalesce(banned_until < now(), since < now() - %s::interval)", [within]
    )
