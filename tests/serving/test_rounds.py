"""What is done again and again, and what is said when it goes wrong."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from agent.errors import CopydeskError
from registry.errors import RegistryUnreachable
from serving import rounds
from serving.rounds import every

HOUR = 3600.0


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ERROR_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "OUTAGE_SECONDS", 0.0)


class Failing:
    """In each round in the next of these ways, or not at all; then it is time to stop."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures, self.stopping = list(failures), asyncio.Event()

    def __repr__(self) -> str:
        return "postgresql://copydesk:password@host/articles"

    async def round(self) -> None:
        failure = self.failures.pop(0)
        if not self.failures:
            self.stopping.set()
        if failure:
            raise failure


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ((KeyError("a"), KeyError("a")), [("ERROR", "Failing.round went wrong; it is tried again every 0 s")]),
        ((CopydeskError("away"), CopydeskError("away")), [("WARNING", "away")]),
        ((CopydeskError("away"), None, CopydeskError("away")), [("WARNING", "away")] * 2),
        ((CopydeskError("away"), CopydeskError("full")), [("WARNING", "away"), ("WARNING", "full")]),
    ],
)
async def test_a_failure_is_logged_once_while_it_stays_the_same(
    failures: tuple[Exception | None, ...], said: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    work = Failing(*failures)
    await every(0, work.round, work.stopping)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == said


async def test_an_unforeseen_failure_has_its_trace_and_no_setting(caplog: pytest.LogCaptureFixture) -> None:
    work = Failing(KeyError("a"), TypeError("b"))
    await every(0, work.round, work.stopping)
    traced = [record.exc_info[0] for record in caplog.records if record.exc_info and record.levelno == logging.ERROR]
    assert (traced, "password" in caplog.text) == ([KeyError, TypeError], False)


class Work:
    """Ends the rounds with its last one; `outcomes` are what it returns or raises."""

    def __init__(self, *outcomes: bool | Exception) -> None:
        self.outcomes: Iterator[bool | Exception] = iter(outcomes)
        self.done = 0
        self.stopping = asyncio.Event()
        self.news = asyncio.Event()
        self.rounds = asyncio.Queue[int]()

    async def round(self) -> bool:
        self.done += 1
        self.rounds.put_nowait(self.done)
        outcome = next(self.outcomes, None)
        if outcome is None:
            self.stopping.set()
            return False
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def test_what_says_that_there_is_more_is_done_again_at_once() -> None:
    work = Work(True, True)
    await every(HOUR, work.round, work.stopping)
    assert work.done == 3


async def test_news_ends_the_pause_and_news_that_came_during_a_round_the_next_one() -> None:
    work = Work(False, False)
    work.news.set()
    going = asyncio.create_task(every(HOUR, work.round, work.stopping, news=work.news))
    assert [await work.rounds.get() for _ in range(2)] == [1, 2]
    work.news.set()
    await going
    assert work.done == 3


async def test_what_was_away_is_asked_again_soon_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(RegistryUnreachable("nobody answers"), RegistryUnreachable("nobody answers"))
    await every(HOUR, work.round, work.stopping, news=work.news)
    assert (work.done, [record.message for record in caplog.records]) == (3, ["nobody answers"])


async def test_what_is_done_once_an_hour_waits_for_its_turn_whatever_was_away() -> None:
    work = Work(RegistryUnreachable("nobody answers"))
    going = asyncio.create_task(every(HOUR, work.round, work.stopping))
    await work.rounds.get()
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert work.done == 1
    work.stopping.set()
    await going
    assert work.done == 1


@pytest.mark.parametrize("error", [CopydeskError("a refusal"), RuntimeError("a fault")])
async def test_what_was_refused_waits_for_its_turn_or_for_news(error: Exception) -> None:
    work = Work(error)
    going = asyncio.create_task(every(HOUR, work.round, work.stopping, news=work.news))
    await work.rounds.get()
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert work.done == 1
    work.news.set()
    await going
    assert work.done == 2
