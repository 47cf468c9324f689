"""The networks from which a project may be reached, on real sockets."""

import asyncio

import psycopg
import pytest

from tests.resources.network.conftest import ELSEWHERE, HERE, ONLY_HERE, OPEN, Place


async def test_a_new_project_is_open_to_everybody(place: Place) -> None:
    found = await place.network("GET", "network-restrictions")
    assert found == {"entitlement": "allowed", "config": OPEN, "status": "applied"}
    assert await place.enters() == ""


async def test_who_comes_from_elsewhere_is_refused_with_the_address_seen(place: Place) -> None:
    answer = await place.restrict(ONLY_HERE)
    assert (answer["config"], answer["status"]) == (ONLY_HERE, "applied")
    assert answer["applied_at"] >= answer["updated_at"]
    told = await place.enters(ELSEWHERE)
    assert f"address {ELSEWHERE} is in none of the networks" in told
    assert f"Add {ELSEWHERE}/32" in told
    assert await place.enters(HERE) == ""


async def test_sessions_from_elsewhere_are_ended_before_the_answer(place: Place) -> None:
    async with place.session(HERE) as inside, place.session(ELSEWHERE) as outside:
        await place.restrict(ONLY_HERE)
        with pytest.raises(psycopg.OperationalError, match="in none of the networks"):
            await outside.execute("select 1")
        await inside.execute("select 1")


async def test_a_running_query_from_elsewhere_is_cancelled(place: Place) -> None:
    async with place.session(HERE) as inside, place.session(ELSEWHERE) as outside:
        running = asyncio.create_task(outside.execute("select pg_sleep(60) -- from elsewhere"))
        await asyncio.sleep(0.05)
        await place.restrict(ONLY_HERE)
        with pytest.raises(psycopg.OperationalError, match="in none of the networks"):
            await running
        count = "select count(*) from pg_stat_activity where query like '%-- from elsewhere' and state = 'active' and pid <> pg_backend_pid()"
        async with asyncio.timeout(5):
            while (await (await inside.execute(count)).fetchone()) != (0,):
                await asyncio.sleep(0.01)
