"""What is done again and again, and what is said when it goes wrong."""

import asyncio
import logging

import pytest

from agent.errors import CopydeskError
from serving import rounds
from serving.rounds import every


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ERROR_SECONDS", 0.0)


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


async def test_what_says_that_there_is_more_is_done_again_at_once() -> None:
    left, stopping = [3], asyncio.Event()

    async def work() -> bool:
        left[0] -= 1
        if not left[0]:
            stopping.set()
        return left[0] > 0

    async with asyncio.timeout(10):
        await every(3600, work, stopping)
    assert left == [0]
