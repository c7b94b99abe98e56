"""A lock that is renewed while its work runs."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from serving.app import utc_now
from serving.errors import BlobStoreUnavailable
from serving.keeping import kept

AT_ONCE = timedelta()


@dataclass
class Failing:
    """Locks that can't be renewed, in one way after the other."""

    failures: list[Exception]
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self, name: str, holder: str, now: datetime, term: timedelta) -> bool:
        failure = self.failures.pop(0)
        if not self.failures:
            self.asked.set()
        raise failure

    async def release(self, name: str, holder: str) -> None: ...


async def test_an_outage_is_no_end_and_what_nobody_foresaw_is_logged_with_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    locks = Failing([BlobStoreUnavailable("it is away"), KeyError("a fault")])
    async with kept(locks, "purge", "me", clock=utc_now, term=AT_ONCE):
        await locks.asked.wait()
    told = [(record.levelname, record.getMessage(), bool(record.exc_info)) for record in caplog.records]
    assert told == [
        ("WARNING", "the lock purge could not be kept: it is away", False),
        ("ERROR", "the lock purge was not kept to the end", True),
    ]


async def test_what_its_work_raises_comes_through(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ZeroDivisionError):
        async with kept(Failing([]), "purge", "me", clock=utc_now, term=timedelta(hours=1)):
            raise ZeroDivisionError
    assert caplog.records == []
