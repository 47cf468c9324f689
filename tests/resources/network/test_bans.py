"""Addresses whose logins fail too often, on real sockets."""

import asyncio
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from baseplane.drivers.ingress import Refused, Visitor
from baseplane.resources.network import bans, upkeep
from baseplane.resources.network.rules import BanRule
from baseplane.runtime import Runtime
from tests.resources.network.conftest import ELSEWHERE, HERE, Place, until

V6 = "2001:db8:1:2"


async def ban(place: Place, source: str = ELSEWHERE) -> None:
    await place.fail(3, source)
    assert await until(place.banned) == [source]


async def test_too_many_failed_logins_ban_the_address_and_no_other(place: Place) -> None:
    await place.fail(2)
    assert await place.enters() == ""
    await place.fail(1)
    assert await until(place.banned) == [ELSEWHERE]
    told = await place.enters()
    assert f"address {ELSEWHERE} is banned from project {place.ref} until 20" in told
    assert "3 logins failed" in told
    assert f"remove {ELSEWHERE} from the project's network bans" in told
    assert await place.enters("127.0.0.3") == ""


async def test_an_unban_lets_in_at_once_and_says_who_was_banned_why(place: Place) -> None:
    await ban(place)
    answer = await place.network("DELETE", "network-bans", {"ipv4_addresses": [ELSEWHERE, "203.0.113.9"]})
    assert await place.enters() == ""
    (lifted,) = answer["banned_ipv4_addresses"]
    assert (lifted["banned_address"], lifted["identifier"], lifted["type"]) == (ELSEWHERE, place.ref, "PRIMARY")
    assert lifted["reason"].startswith("3 failed logins since 20")
    assert lifted["reason"].endswith("last as role postgres (28P01)")
    assert await place.banned() == []


async def test_an_unknown_role_is_a_failed_login_as_well(place: Place) -> None:
    await place.fail(3, user=f"nobody.{place.ref}")
    await until(place.banned)
    enriched = await place.network("POST", "network-bans/retrieve/enriched")
    assert "role nobody" in enriched["banned_ipv4_addresses"][0]["reason"]


async def test_this_machines_own_address_is_never_banned(place: Place) -> None:
    await place.fail(4, HERE)
    await ban(place)  # notes are taken in order: those of the own address are done now
    assert await place.banned() == [ELSEWHERE]
    assert await place.enters(HERE) == ""


async def test_a_ban_ends_by_itself_and_counting_begins_anew(place: Place, strict_rt: Runtime) -> None:
    await ban(place)
    async with strict_rt.database.connection() as db:
        await db.execute("update login_failures set banned_until = now()")
    assert await place.banned() == []
    assert await place.enters() == ""
    await place.fail(2)
    assert await place.enters() == ""


async def test_who_is_inside_stays_when_others_at_the_address_are_banned(place: Place) -> None:
    async with place.session() as session:
        await ban(place)
        await place.restrict({"dbAllowedCidrs": ["127.0.0.0/8"]})
        await session.execute("select 1")


async def test_failures_by_the_transaction_port_count_as_well(place: Place) -> None:
    await place.fail(2, pooled=True)
    await place.fail(1, pooled=True, user=f"nobody.{place.ref}")
    assert await until(place.banned) == [ELSEWHERE]
    assert "is banned from project" in await place.enters(pooled=True)


async def test_callers_lift_the_ban_of_their_own_address(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await ban(place)
    transport = place.client.http._transport
    assert isinstance(transport, httpx.ASGITransport)
    monkeypatch.setattr(transport, "client", (ELSEWHERE, 1))
    body = {"ipv4_addresses": [], "requester_ip": True, "identifier": place.ref}
    forged = {"X-Forwarded-For": "127.0.0.9"}
    answer = await place.client.call("DELETE", f"/v1/projects/{place.ref}/network-bans", json=body, headers=forged)
    assert answer.status_code == 200
    assert await place.enters() == ""


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "ipv4_addresses: is required"),
        ({"ipv4_addresses": []}, "set requester_ip for your own"),
        ({"ipv4_addresses": ["nobody"]}, "ipv4_addresses.0: 'nobody' is no IP address"),
        ({"ipv4_addresses": ["10.0.0.0/8"]}, "ipv4_addresses.0: '10.0.0.0/8' is no IP address"),
        ({"ipv4_addresses": ["fe80::1%eth0"]}, "is no IP address"),
        ({"ipv4_addresses": [ELSEWHERE] * 1001}, "at most 1000"),
        ({"ipv4_addresses": [ELSEWHERE], "identifier": "replica"}, "identifier: this project has one database"),
    ],
)
async def test_what_cannot_be_unbanned_is_refused(place: Place, body: object, told: str) -> None:
    answer = await place.client.call("DELETE", f"/v1/projects/{place.ref}/network-bans", json=body)
    assert answer.status_code == 400
    assert told in answer.json()["message"]


def visitor(place: Place, address: str, user: str = "postgres") -> Visitor:
    return Visitor(place.ref, user, address, encrypted=True, pooled=False)


async def fail(rt: Runtime, who: Visitor, times: int = 3, sqlstate: str = "28P01", **settings: Any) -> None:
    rule = BanRule.of(rt.settings.model_copy(update=settings))
    async with rt.database.connection() as db:
        for _ in range(times):
            await rule.note(db, who, sqlstate)


async def told(rt: Runtime, who: Visitor, **settings: Any) -> str:
    """Nothing if the visitor may come in."""
    try:
        async with rt.database.connection() as db:
            await BanRule.of(rt.settings.model_copy(update=settings)).check(db, who)
    except Refused as error:
        return error.message
    return ""


async def test_an_ipv6_site_is_one_source_whatever_addresses_it_takes(place: Place, strict_rt: Runtime) -> None:
    for host in range(1, 4):
        await fail(strict_rt, visitor(place, f"{V6}::{host}"), times=1)
    assert await place.banned() == [f"{V6}::/64"]
    assert "is banned" in await told(strict_rt, visitor(place, f"{V6}:ffff::9"))
    assert await told(strict_rt, visitor(place, "2001:db8:1:3::1")) == ""
    await place.network("DELETE", "network-bans", {"ipv4_addresses": [f"{V6}::/64"]})
    assert await told(strict_rt, visitor(place, f"{V6}::1")) == ""


async def test_the_own_address_inside_a_banned_site_is_let_in(
    place: Place, strict_rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fail(strict_rt, visitor(place, f"{V6}::1"))
    monkeypatch.setattr("baseplane.resources.network.rules.is_own", f"{V6}::2".__eq__)
    assert await told(strict_rt, visitor(place, f"{V6}::2")) == ""
    assert await told(strict_rt, visitor(place, f"{V6}::3")) != ""


async def test_the_operator_says_who_is_never_banned_and_whether_anybody_is(place: Place, strict_rt: Runtime) -> None:
    never = {"ban_never": (ip_network("203.0.113.0/24"),)}
    await fail(strict_rt, visitor(place, "203.0.113.9"), **never)
    await fail(strict_rt, visitor(place, "198.51.100.1"), times=20, ban_after=0)
    assert await place.banned() == []
    await fail(strict_rt, visitor(place, "203.0.113.9"))
    assert await told(strict_rt, visitor(place, "203.0.113.9"), **never) == ""


async def test_only_wrong_credentials_count(place: Place, strict_rt: Runtime) -> None:
    await fail(strict_rt, visitor(place, ELSEWHERE), sqlstate="53300")
    assert await place.banned() == []
    await fail(strict_rt, visitor(place, ELSEWHERE), sqlstate="28000", times=2)
    await fail(strict_rt, visitor(place, ELSEWHERE), sqlstate="28P01", times=1)
    assert await place.banned() == [ELSEWHERE]


async def test_failures_long_ago_do_not_count(place: Place, strict_rt: Runtime) -> None:
    await fail(strict_rt, visitor(place, ELSEWHERE), times=2)
    async with strict_rt.database.connection() as db:
        await db.execute("update login_failures set since = now() - interval '11 min'")
    await fail(strict_rt, visitor(place, ELSEWHERE), times=2)
    assert await place.banned() == []


async def test_failures_during_a_ban_do_not_prolong_it(place: Place, strict_rt: Runtime) -> None:
    await fail(strict_rt, visitor(place, ELSEWHERE))
    async with strict_rt.database.connection() as db:
        (before,) = await bans.in_force(db, place.ref)
        await fail(strict_rt, visitor(place, ELSEWHERE))
        (after,) = await bans.in_force(db, place.ref)
    assert (after.banned_until, after.failures) == (before.banned_until, 6)


async def test_the_first_failure_bans_where_the_operator_wants_it(place: Place, strict_rt: Runtime) -> None:
    await fail(strict_rt, visitor(place, ELSEWHERE), times=1, ban_after=1)
    assert await place.banned() == [ELSEWHERE]


async def test_failures_at_the_same_time_are_all_counted(place: Place, strict_rt: Runtime) -> None:
    await asyncio.gather(*(fail(strict_rt, visitor(place, ELSEWHERE), times=10) for _ in range(8)))
    async with strict_rt.database.connection() as db:
        (ban,) = await bans.in_force(db, place.ref)
    assert ban.failures == 80


async def test_sources_are_remembered_up_to_a_limit_and_bans_longest(
    place: Place, strict_rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bans, "MOST", 5)
    await fail(strict_rt, visitor(place, ELSEWHERE))
    await asyncio.gather(
        *(fail(strict_rt, visitor(place, f"2001:db8:{site:x}::1"), times=1) for site in range(40)),
    )
    await fail(strict_rt, visitor(place, "203.0.113.9"), times=1)
    async with strict_rt.database.connection() as db:
        cursor = await db.execute("select count(*) from login_failures")
        assert await cursor.fetchone() == (5,)
    assert await place.banned() == [ELSEWHERE]


async def test_what_does_not_count_any_more_is_forgotten(place: Place, strict_rt: Runtime) -> None:
    old, recent, banned = (visitor(place, f"203.0.113.{host}") for host in (1, 2, 3))
    await fail(strict_rt, old, times=2)
    await fail(strict_rt, banned)
    async with strict_rt.database.connection() as db:
        await db.execute("update login_failures set since = now() - interval '11 min'")
        await fail(strict_rt, recent, times=1)
        await upkeep.look(strict_rt)
        cursor = await db.execute("select host(network) from login_failures order by network")
        assert await cursor.fetchall() == [(recent.address,), (banned.address,)]


async def test_the_platforms_own_roles_are_let_in(place: Place, strict_rt: Runtime) -> None:
    await fail(strict_rt, visitor(place, ELSEWHERE))
    assert await told(strict_rt, visitor(place, ELSEWHERE, "baseplane_query")) == ""


async def test_a_ban_lasts_as_long_as_the_operator_says(place: Place, strict_rt: Runtime) -> None:
    await fail(strict_rt, visitor(place, ELSEWHERE), ban_for=90.0)
    async with strict_rt.database.connection() as db:
        (ban,) = await bans.in_force(db, place.ref)
    assert ban.banned_until - ban.since > timedelta(minutes=89)
