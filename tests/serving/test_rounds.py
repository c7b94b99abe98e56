"""Rounds that would take an hour each, and what has them come sooner."""

import asyncio
from collections.abc import Iterator

import pytest

from agent.errors import CopydeskError
from registry.errors import RegistryUnreachable
from serving import rounds
from serving.rounds import every

HOUR = 3600.0


class Work:
    """Ends the rounds with its last one; `outcomes` are what it returns or raises."""

    def __init__(self, *outcomes: bool | Exception) -> None:
        self.outcomes: Iterator[bool | Exception] = iter(outcomes)
        self.done = 0
        self.stopping = asyncio.Event()
        self.news = asyncio.Event()
        self.rounds = asyncio.Queue[int]()

    async def __call__(self) -> bool:
        self.done += 1
        self.rounds.put_nowait(self.done)
        outcome = next(self.outcomes, None)
        if outcome is None:
            self.stopping.set()
            return False
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ERROR_SECONDS", 0.001)
    monkeypatch.setattr(rounds, "OUTAGE_SECONDS", 0.001)


async def test_what_says_that_there_is_more_is_done_again_at_once() -> None:
    work = Work(True, True)
    await every(HOUR, work, work.stopping)
    assert work.done == 3


async def test_news_ends_the_pause_and_news_that_came_during_a_round_the_next_one() -> None:
    work = Work(False, False)
    work.news.set()
    going = asyncio.create_task(every(HOUR, work, work.stopping, news=work.news))
    assert [await work.rounds.get() for _ in range(2)] == [1, 2]
    work.news.set()
    await going
    assert work.done == 3


async def test_what_was_away_is_asked_again_soon_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(RegistryUnreachable("nobody answers"), RegistryUnreachable("nobody answers"))
    await every(HOUR, work, work.stopping)
    assert (work.done, [record.message for record in caplog.records]) == (3, ["nobody answers"])


@pytest.mark.parametrize("error", [CopydeskError("a refusal"), RuntimeError("a fault")])
async def test_what_was_refused_waits_for_its_turn_or_for_news(error: Exception) -> None:
    work = Work(error)
    going = asyncio.create_task(every(HOUR, work, work.stopping, news=work.news))
    await work.rounds.get()
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert work.done == 1
    work.news.set()
    await going
    assert work.done == 2
