"""Rules reach every ingress process, and who may not be inside any more is put out."""

from datetime import timedelta

import pytest

from baseplane.errors import Unavailable
from baseplane.resources.doors.announcements import enforce
from baseplane.runtime import Runtime
from tests.conftest import Client

SOON = timedelta(seconds=0.2)


async def add_door(rt: Runtime, seen: str) -> None:
    async with rt.database.connection() as db:
        await db.execute(
            "insert into doors (id, seen_at, followed) values (gen_random_uuid(), now() + %s::interval, 0)", [seen]
        )


async def test_rules_are_enforced_when_every_door_has_followed(real_rt: Runtime, project: str) -> None:
    await enforce(real_rt.database, project)


async def test_a_door_that_died_is_not_waited_for(rt: Runtime, api: Client) -> None:
    await add_door(rt, "-10 seconds")
    await enforce(rt.database, "abcdefghijklmnopqrst", SOON)


async def test_a_door_that_does_not_follow_is_an_error(rt: Runtime, api: Client) -> None:
    await add_door(rt, "0 seconds")
    with pytest.raises(Unavailable, match="does not follow"):
        await enforce(rt.database, "abcdefghijklmnopqrst", SOON)
    async with rt.database.connection() as db:
        await db.execute("delete from doors where followed = 0")
