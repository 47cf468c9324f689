"""Look-ups that wait at the same time, on a real database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
import pytest

from baseplane.database import Connection, Database, batches
from baseplane.errors import Unavailable


@dataclass(slots=True)
class Quotients:
    """Reads 100 / n; of negative numbers, there is nothing. ``may_begin`` holds up its statements."""

    asked: list[list[int]] = field(default_factory=list)
    may_begin: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, db: Connection, keys: Sequence[int]) -> dict[int, int]:
        self.asked.append(sorted(keys))
        await self.may_begin.wait()
        found = await db.execute("select n, 100 / n from unnest(%s::int[]) n where n >= 0", [list(keys)])
        return dict(await found.fetchall())

    async def is_asked(self, times: int) -> None:
        while len(self.asked) < times:
            await asyncio.sleep(0)


@pytest.fixture
def quotients() -> Quotients:
    return Quotients()


async def test_those_who_wait_at_the_same_time_share_a_statement(database: Database, quotients: Quotients) -> None:
    quotients.may_begin.set()
    read = quotients.read
    assert await asyncio.gather(*(database.look_up(read, n) for n in (1, 2, 2, -1))) == [100, 50, 50, None]
    assert quotients.asked == [[-1, 1, 2]]


async def test_who_comes_during_a_statement_is_answered_by_the_next_one(
    database: Database, quotients: Quotients
) -> None:
    read = quotients.read
    first = asyncio.create_task(database.look_up(read, 1))
    await quotients.is_asked(times=1)
    late = [asyncio.create_task(database.look_up(read, n)) for n in (1, 5)]
    quotients.may_begin.set()
    assert [await first, *[await each for each in late]] == [100, 100, 20]
    assert quotients.asked == [[1], [1, 5]]


async def test_no_statement_asks_for_more_than_it_can_carry(
    database: Database, quotients: Quotients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST", 2)
    quotients.may_begin.set()
    read = quotients.read
    assert await asyncio.gather(*(database.look_up(read, n) for n in (1, 2, 4, 5, 10))) == [100, 50, 25, 20, 10]
    assert quotients.asked == [[1, 2], [4, 5], [10]]


async def test_what_fails_fails_for_those_who_asked_then(database: Database, quotients: Quotients) -> None:
    quotients.may_begin.set()
    read = quotients.read
    both = await asyncio.gather(*(database.look_up(read, n) for n in (0, 1)), return_exceptions=True)
    assert [type(each) for each in both] == [psycopg.errors.DivisionByZero] * 2
    assert await database.look_up(read, 1) == 100


async def test_who_goes_away_takes_nobody_along(database: Database, quotients: Quotients) -> None:
    read = quotients.read
    gone, stays = (asyncio.create_task(database.look_up(read, n)) for n in (1, 2))
    await quotients.is_asked(times=1)
    gone.cancel()
    quotients.may_begin.set()
    assert await stays == 50


async def test_a_statement_that_hangs_is_given_up(
    database: Database, quotients: Quotients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "READ_WITHIN", 0.05)
    with pytest.raises(Unavailable, match="does not answer"):
        await database.look_up(quotients.read, 1)
    quotients.may_begin.set()
    monkeypatch.undo()
    assert await database.look_up(quotients.read, 1) == 100
