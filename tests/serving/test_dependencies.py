import asyncio

import pytest

from serving.adapters.database import DatabaseUnavailable
from serving.dependencies import KEPT_SECONDS, Dependencies, Dependency
from tests.serving.ticks import Turned


class Asked:
    def __init__(self, failure: Exception | None = None) -> None:
        self.times = 0
        self.failure = failure

    async def __call__(self) -> None:
        self.times += 1
        if self.failure:
            raise self.failure


async def test_each_is_asked_once_a_second_however_many_want_to_know() -> None:
    ticks, asked = Turned(), Asked()
    dependencies = Dependencies([Dependency("database", asked)], ticks)
    await asyncio.gather(*(dependencies.standing() for _ in range(10)))
    assert asked.times == 1
    ticks.now += KEPT_SECONDS
    await dependencies.standing()
    assert asked.times == 2


@pytest.mark.parametrize(
    ("failure", "type", "text"),
    [
        (DatabaseUnavailable("it is away"), "database-unavailable", "it is away"),
        (ZeroDivisionError("secret"), "dependency-silent", "database can't be asked: ZeroDivisionError"),
    ],
)
async def test_what_fails_says_why(failure: Exception, type: str, text: str) -> None:
    (found,) = await Dependencies([Dependency("database", Asked(failure))], Turned()).standing()
    assert found.failure
    assert (found.up, found.failure.type, str(found.failure)) == (False, type, text)


async def test_what_hangs_is_not_waited_for() -> None:
    found = await Dependencies([Dependency("blobs", asyncio.Event().wait)], Turned(), seconds=0.05).standing()
    assert str(found[0].failure) == "blobs has not answered for 0.05 seconds"
