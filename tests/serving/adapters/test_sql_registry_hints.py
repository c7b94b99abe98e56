"""Word of a change, for whoever looks, on both databases."""

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from serving.adapters.database import Database
from serving.adapters.evidence_tables import registry_hints
from serving.adapters.sql_registry_hints import KEPT, SqlRegistryHints
from tests.serving.build import NOW


async def test_each_delivery_counts_once_whoever_is_sent_it(database: Database) -> None:
    replicas = [SqlRegistryHints(database) for _ in range(4)]
    assert await replicas[0].latest() == 0
    assert sorted(await asyncio.gather(*(each.give("a", NOW) for each in replicas))) == [False, False, False, True]
    first = await replicas[0].latest()
    assert await replicas[1].give("b", NOW)
    assert await replicas[2].latest() > first > 0


async def test_what_can_t_be_repeated_any_more_is_removed_and_its_number_never_comes_again(database: Database) -> None:
    hints = SqlRegistryHints(database)
    await hints.give("a", NOW)
    await hints.give("b", NOW)
    before = await hints.latest()
    await hints.give("c", NOW + KEPT + timedelta(seconds=1))
    assert await hints.latest() > before
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(registry_hints)) == 1
