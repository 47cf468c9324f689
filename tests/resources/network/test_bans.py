"""Addresses whose logins fail too often, on real sockets."""



from baseplane.runtime import Runtime
from tests.resources.network.conftest import ELSEWHERE, HERE, Place, until


async def ban(place: Place, source: str = ELSEWHERE) -> None:
    await place.fail(3, source)
    assert await until(place.banned) == [source]


async def test_too_many_failed_logins_ban_the_address_and_no_other(place: Place) -> None:
    await place.fail(2)
    assert await place.enters() == ""
    await ban_after_one_more(place)
    told = await place.enters()
    assert f"address {ELSEWHERE} is banned from project {place.ref} until 20" in told
    assert "3 logins failed" in told
    assert f"remove {ELSEWHERE} from the project's network bans" in told
    assert await place.enters("127.0.0.3") == ""


async def ban_after_one_more(place: Place) -> None:
    await place.fail(1)
    assert await until(place.banned) == [ELSEWHERE]


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
