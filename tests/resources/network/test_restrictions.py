"""The networks from which a project may be reached, on real sockets."""

import asyncio
import shutil
import socket
from pathlib import Path

import psycopg
import pytest

from baseplane.drivers.ingress.public import TlsDoor
from baseplane.resources.network import routes, upkeep
from baseplane.runtime import Runtime
from baseplane.workflows import journal
from tests.resources.network.conftest import (
    ELSEWHERE,
    HERE,
    ONLY_HERE,
    OPEN,
    PASSWORD,
    Place,
    ingress_of,
    relay,
    until,
)


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


async def test_every_ingress_enforces_them(place: Place, real_rt: Runtime) -> None:
    assert isinstance(real_rt.door, TlsDoor)
    async with place.session() as one, place.session(door=real_rt.door) as other:
        await place.restrict(ONLY_HERE)
        for session in (one, other):
            with pytest.raises(psycopg.OperationalError, match="in none of the networks"):
                await session.execute("select 1")
    assert "in none of the networks" in await place.enters(door=real_rt.door)


async def test_the_transaction_port_enforces_them(place: Place) -> None:
    await place.restrict(ONLY_HERE)
    assert "in none of the networks" in await place.enters(pooled=True)
    assert await place.enters(HERE, pooled=True, prepare_threshold=None) == ""


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
async def test_ipv6_has_networks_of_its_own(place: Place, strict_rt: Runtime) -> None:
    async with ingress_of(strict_rt, "::1") as door:
        assert await place.enters("::1", door=door) == ""
        await place.restrict({"dbAllowedCidrs": ["0.0.0.0/0"]})
        assert "address ::1 is in none of the networks" in await place.enters("::1", door=door)
        assert await place.enters() == ""
        await place.restrict({"dbAllowedCidrsV6": ["::/64"]})
        assert await place.enters("::1", door=door) == ""
        assert "in none of the networks" in await place.enters()


async def test_networks_are_added_and_removed(place: Place) -> None:
    await place.restrict({"dbAllowedCidrs": ["10.0.0.0/8", "192.168.0.0/16"], "dbAllowedCidrsV6": ["fd00::/8"]})
    change = {
        "add": {"dbAllowedCidrs": ["127.0.0.0/8", "10.0.0.0/8"], "dbAllowedCidrsV6": ["2001:DB8::/32"]},
        "remove": {"dbAllowedCidrs": ["192.168.0.0/16", "172.16.0.0/12"]},
    }
    answer = await place.network("PATCH", "network-restrictions", change)
    assert answer["config"]["dbAllowedCidrs"] == [
        {"address": "10.0.0.0/8", "type": "v4"},
        {"address": "fd00::/8", "type": "v6"},
        {"address": "127.0.0.0/8", "type": "v4"},
        {"address": "2001:db8::/32", "type": "v6"},
    ]
    assert answer["status"] == "applied"
    assert "old_config" not in answer
    assert await place.enters() == ""


async def test_changes_at_the_same_time_lose_nothing(place: Place) -> None:
    networks = [f"10.{n}.0.0/16" for n in range(12)]
    adding = (
        place.network("PATCH", "network-restrictions", {"add": {"dbAllowedCidrs": [network]}}) for network in networks
    )
    await asyncio.gather(*adding)
    found = await place.network("GET", "network-restrictions")
    assert sorted(found["config"]["dbAllowedCidrs"]) == sorted([*OPEN["dbAllowedCidrs"], *networks])
    assert found["status"] == "applied"


@pytest.mark.parametrize(
    ("body", "told"),
    {
        "nothing": ({}, "Name the allowed networks"),
        "no prefix": ({"dbAllowedCidrs": ["1.2.3.4"]}, "dbAllowedCidrs.0: '1.2.3.4' is not a network"),
        "no address": ({"dbAllowedCidrs": ["10.0.0.0/8", "office"]}, "dbAllowedCidrs.1: 'office' is not"),
        "host bits": ({"dbAllowedCidrs": ["10.0.0.1/8"]}, "write 10.0.0.0/8 for the network, 10.0.0.1/32 for one host"),
        "a long prefix": ({"dbAllowedCidrs": ["10.0.0.0/33"]}, "dbAllowedCidrs.0: '10.0.0.0/33' is not"),
        "IPv6 among IPv4": ({"dbAllowedCidrs": ["::/0"]}, "belongs into dbAllowedCidrsV6"),
        "IPv4 among IPv6": ({"dbAllowedCidrsV6": ["10.0.0.0/8"]}, "belongs into dbAllowedCidrs"),
        "mapped IPv4": ({"dbAllowedCidrsV6": ["::ffff:10.0.0.0/104"]}, "maps IPv4 addresses"),
        "an interface": ({"dbAllowedCidrsV6": ["fe80::%eth0/64"]}, "is not a network"),
        "no text": ({"dbAllowedCidrs": [7]}, "dbAllowedCidrs.0:"),
        "no list": ({"dbAllowedCidrs": None}, "dbAllowedCidrs:"),
        "the null character": ({"dbAllowedCidrs": ["10.0.0.0/8\0"]}, "is not a network"),
        "too many": ({"dbAllowedCidrs": [f"10.0.{n // 256}.{n % 256}/32" for n in range(1001)]}, "at most 1000"),
    }.values(),
)
async def test_what_is_no_network_is_refused(place: Place, body: object, told: str) -> None:
    answer = await place.client.post(f"/v1/projects/{place.ref}/network-restrictions/apply", body)
    assert answer.status_code == 400
    assert told in answer.json()["message"]
    assert (await place.network("GET", "network-restrictions"))["config"] == OPEN


async def test_additions_stay_below_the_limit_too(place: Place) -> None:
    networks = [f"10.0.{n // 256}.{n % 256}/32" for n in range(1000)]
    answer = await place.client.call(
        "PATCH", f"/v1/projects/{place.ref}/network-restrictions", json={"add": {"dbAllowedCidrs": networks}}
    )
    assert answer.status_code == 400
    assert "at most 1000 allowed networks; these would be 1002" in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "Name the networks"),
        ({"add": {"dbAllowedCidrs": ["::/0"]}}, "add.dbAllowedCidrs.0: "),
        ({"add": {"dbAllowedCidrs": ["10.0.0.0/8"]}, "remove": {"dbAllowedCidrs": ["10.0.0.0/8"]}}, "at once"),
    ],
)
async def test_changes_without_sense_are_refused(place: Place, body: object, told: str) -> None:
    answer = await place.client.call("PATCH", f"/v1/projects/{place.ref}/network-restrictions", json=body)
    assert answer.status_code == 400
    assert told in answer.json()["message"]


async def test_they_are_stored_until_every_ingress_has_followed(
    place: Place, strict_rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "WITHIN", routes.WITHIN / 100)
    async with strict_rt.database.connection() as db:
        await db.execute("insert into doors (id, seen_at, followed) values (gen_random_uuid(), now() + '1 min', 0)")
    answer = await place.restrict(ONLY_HERE)
    assert (answer["status"], answer["config"], answer["old_config"]) == ("stored", ONLY_HERE, OPEN)
    assert "in none of the networks" in await place.enters()  # for who comes they hold already
    async with strict_rt.database.connection() as db:
        await db.execute("delete from doors where followed = 0")

    async def is_applied() -> bool:
        return (await place.network("GET", "network-restrictions"))["status"] == "applied"

    await until(is_applied, 10)
    assert "old_config" not in await place.network("GET", "network-restrictions")


async def test_what_could_not_be_applied_is_tried_again(place: Place, strict_rt: Runtime) -> None:
    await place.restrict(ONLY_HERE)
    await place.enforce_ssl(on=True)
    async with strict_rt.database.connection() as db:
        await db.execute("update network_restrictions set applied_version = 0, applied_at = null")
        await db.execute("update ssl_enforcement set applied_version = 0")
        await db.execute("update runs set finished_at = finished_at - interval '1 min' where subject = %s", [place.ref])
        assert (await place.network("GET", "network-restrictions"))["status"] == "stored"
        assert not (await place.network("GET", "ssl-enforcement"))["appliedSuccessfully"]
        await upkeep.look(strict_rt)
        await upkeep.look(strict_rt)  # while the first attempts are under way there are no others

        async def is_idle() -> bool:
            return not await journal.unfinished(db, place.ref)

        await until(is_idle)
    assert (await place.network("GET", "network-restrictions"))["status"] == "applied"


async def test_a_project_that_comes_up_cannot_be_restricted_yet(place: Place, strict_rt: Runtime) -> None:
    async with strict_rt.database.connection() as db:
        await db.execute("update projects set status = 'COMING_UP' where ref = %s", [place.ref])
        answer = await place.client.post(f"/v1/projects/{place.ref}/network-restrictions/apply", ONLY_HERE)
        await db.execute("update projects set status = 'ACTIVE_HEALTHY' where ref = %s", [place.ref])
    assert answer.status_code == 400
    assert "Wait until it is ACTIVE_HEALTHY" in answer.json()["message"]


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
async def test_psql_tells_what_is_wrong_and_what_to_do(place: Place) -> None:
    await place.restrict(ONLY_HERE)
    async with relay(ELSEWHERE, place.door.port) as port:
        url = f"postgresql://postgres.{place.ref}:{PASSWORD.replace(' ', '%20')}@{HERE}:{port}/postgres?sslmode=require"
        client = await asyncio.create_subprocess_exec(
            "psql", url, "-c", "select 1", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await client.communicate()
    assert client.returncode == 2
    assert f"FATAL:  address {ELSEWHERE} is in none of the networks" in output.decode()
    assert f"HINT:  Add {ELSEWHERE}/32" in output.decode()


@pytest.mark.skipif(shutil.which("pgbench") is None, reason="pgbench is not installed")
async def test_a_pgbench_under_way_is_ended(place: Place, tmp_path: Path) -> None:
    (tmp_path / "one.sql").write_text("select 1;")
    async with relay(ELSEWHERE, place.door.port) as port:
        url = f"postgresql://postgres.{place.ref}:{PASSWORD.replace(' ', '%20')}@{HERE}:{port}/postgres?sslmode=require"
        bench = await asyncio.create_subprocess_exec(
            "pgbench", "-n", "-c", "4", "-T", "60", "-P", "1", "-f", str(tmp_path / "one.sql"), url,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        assert bench.stdout is not None
        async with asyncio.timeout(20):
            while b"progress" not in await bench.stdout.readline():
                pass
            await place.restrict(ONLY_HERE)
            output = (await bench.stdout.read()).decode()
            assert await bench.wait() != 0
    assert "in none of the networks" in output
