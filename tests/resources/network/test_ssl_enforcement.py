"""Projects that take encrypted connections only, on real sockets."""

import psycopg
import pytest

from tests.resources.network.conftest import HERE, ONLY_HERE, PLAIN, Place

ON = {"currentConfig": {"database": True}, "appliedSuccessfully": True}
OFF = {"currentConfig": {"database": False}, "appliedSuccessfully": True}


async def test_a_new_project_takes_both(place: Place) -> None:
    assert await place.network("GET", "ssl-enforcement") == OFF
    assert await place.enters(**PLAIN) == ""
    assert await place.enters() == ""


async def test_plaintext_is_refused_once_enforced_and_taken_again_afterwards(place: Place) -> None:
    assert await place.enforce_ssl(on=True) == ON
    assert await place.network("GET", "ssl-enforcement") == ON
    told = await place.enters(**PLAIN)
    assert "takes encrypted connections only" in told
    assert "sslmode=require" in told
    assert await place.enters() == ""
    assert await place.enforce_ssl(on=False) == OFF
    assert await place.enters(**PLAIN) == ""


async def test_plaintext_sessions_are_ended_before_the_answer(place: Place) -> None:
    async with place.session(**PLAIN) as plain, place.session() as encrypted:
        await place.enforce_ssl(on=True)
        with pytest.raises(psycopg.OperationalError, match="encrypted connections only"):
            await plain.execute("select 1")
        await encrypted.execute("select 1")


async def test_the_advisors_know_of_it(place: Place) -> None:
    async def told() -> set[str]:
        lints = (await place.network("GET", "advisors/security"))["lints"]
        return {lint["name"] for lint in lints} & {"ssl_not_enforced", "network_restrictions_not_set"}

    assert await told() == {"ssl_not_enforced", "network_restrictions_not_set"}
    await place.enforce_ssl(on=True)
    await place.restrict(ONLY_HERE)
    assert await told() == set()


async def test_the_project_stays_healthy(place: Place) -> None:
    await place.enforce_ssl(on=True)
    await place.restrict({"dbAllowedCidrs": []})
    assert "in none of the networks" in await place.enters(HERE)
    health = await place.client.get(f"/v1/projects/{place.ref}/health", params={"services": "db,db_postgres_user"})
    assert [service["status"] for service in health] == ["ACTIVE_HEALTHY"] * 2
