"""Locks with a term, on both databases."""

import asyncio
from datetime import timedelta

from serving.adapters.database import Database
from serving.adapters.sql_locks import SqlLocks
from tests.serving.build import NOW

TERM = timedelta(seconds=10)


async def test_one_holder_at_a_time_until_the_term_is_over(database: Database) -> None:
    locks = SqlLocks(database)
    taken = [await locks.hold("sweep", holder, NOW, TERM) for holder in ("a", "b", "a")]
    assert taken == [True, False, True]
    assert await locks.hold("log", "b", NOW, TERM)
    assert not await locks.hold("sweep", "b", NOW + TERM, TERM)
    assert await locks.hold("sweep", "b", NOW + 1.1 * TERM, TERM)
    assert not await locks.hold("sweep", "a", NOW + 1.1 * TERM, TERM)


async def test_who_releases_lets_the_next_one_go_on(database: Database) -> None:
    locks = SqlLocks(database)
    await locks.hold("sweep", "a", NOW, TERM)
    await locks.release("sweep", "b")
    assert not await locks.hold("sweep", "b", NOW, TERM)
    await locks.release("sweep", "a")
    assert await locks.hold("sweep", "b", NOW, TERM)


async def test_of_many_at_once_one_gets_it(database: Database) -> None:
    locks = SqlLocks(database)
    taken = await asyncio.gather(*(locks.hold("sweep", str(holder), NOW, TERM) for holder in range(10)))
    assert sum(taken) == 1
