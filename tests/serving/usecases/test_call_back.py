import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from serving.adapters.http_caller import HttpCaller
from serving.adapters.sql_callbacks import SqlCallbacks
from serving.adapters.stores import Stores
from serving.api.callback_schemas import callback_body
from serving.callback import Callback, EndedJob, signed
from serving.callback_rules import AllowedHost, CallbackRules
from serving.job import JobStatus
from serving.telling import PutOff
from serving.usecases.call_back import call_due
from tests.serving.adapters.test_sql_batches import batch_submission
from tests.serving.build import NOW, TEXT, claim, report, submission
from tests.serving.receiver import Receiver, receiver

KEYS = (b"k" * 32,)
DAY = timedelta(days=1)


@pytest.fixture
def called() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


async def round_at(stores: Stores, to: Receiver, now: datetime, keys: tuple[bytes, ...] = KEYS) -> int:
    caller = HttpCaller(CallbackRules((AllowedHost.of(to.host),)))
    called = await call_due(SqlCallbacks(stores.database), caller, callback_body, keys=keys, clock=lambda: now)
    return len(called)


async def end(stores: Stores, to: Receiver, *ids: str) -> None:
    for id in ids:
        await stores.jobs.add(submission(id, callback_url=to.url))
        await stores.jobs.cancel(id, NOW)


async def test_a_client_is_told_how_its_job_ended_and_nothing_of_its_text(stores: Stores, called: Receiver) -> None:
    await stores.jobs.add(submission("a", callback_url=called.url))
    running = await claim(stores)
    await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, NOW), await report())
    assert [await round_at(stores, called, NOW) for _ in range(2)] == [1, 0]
    [call] = called.calls
    assert signed(KEYS, call.headers["webhook-id"], NOW, call.body).items() <= call.headers.items()
    told = json.loads(call.body)
    assert (told["type"], told["timestamp"], told["data"]["status"]) == (
        "job.ended",
        "2026-11-23T12:00:00Z",
        "completed",
    )
    assert (told["data"]["job_id"], told["data"]["links"]["result"]) == ("a", "/api/v1/jobs/a/result")
    assert not any(word in call.body.decode() for word in TEXT.split() if len(word) > 6)


async def test_a_batch_s_client_is_told_its_figures(stores: Stores, called: Receiver) -> None:
    await stores.batches.add(batch_submission("b", count=2, callback_url=called.url))
    for id in await stores.batches.unfinished("b"):
        await stores.jobs.cancel(id, NOW)
    assert await round_at(stores, called, NOW) == 1
    told = json.loads(called.calls[0].body)
    assert (told["type"], told["data"]["batch_id"], told["data"]["jobs"]["cancelled"]) == ("batch.ended", "b", 2)


async def test_a_receiver_that_fails_is_called_again_with_the_same_message(stores: Stores) -> None:
    with receiver(500, 302, 200) as called:
        await end(stores, called, "a")
        moments = [NOW + timedelta(seconds=seconds) for seconds in (0, 4, 5, 19, 20, 1000)]
        assert [await round_at(stores, called, moment) for moment in moments] == [1, 0, 1, 0, 1, 0]
    assert len({call.headers["webhook-id"] for call in called.calls}) == 1
    assert len({call.body for call in called.calls}) == 1
    assert len({call.headers["webhook-timestamp"] for call in called.calls}) == 3


async def test_who_is_gone_is_not_called_again(stores: Stores) -> None:
    with receiver(410) as gone:
        await end(stores, gone, "a")
        assert [await round_at(stores, gone, NOW + days * DAY) for days in range(2)] == [1, 0]
    [shown] = await SqlCallbacks(stores.database).unanswered(9)
    assert (shown.due, shown.reason) == (None, "given up: the receiver answered 410 (gone)")


async def test_who_never_answers_is_given_up_within_a_day(stores: Stores, caplog: pytest.LogCaptureFixture) -> None:
    with receiver(503) as failing:
        await end(stores, failing, "a")
        now = NOW
        while await round_at(stores, failing, now):
            [shown] = await SqlCallbacks(stores.database).unanswered(9)
            now = shown.due or now
    assert (len(failing.calls), now - NOW < DAY) == (12, True)
    assert shown.reason == "given up after 12 attempts: the receiver answered 503"
    assert "it is given up: given up after 12 attempts" in caplog.text


async def test_a_worker_without_a_secret_says_so_and_sends_nothing(stores: Stores, called: Receiver) -> None:
    await end(stores, called, "a")
    assert await round_at(stores, called, NOW, keys=()) == 1
    [shown] = await SqlCallbacks(stores.database).unanswered(9)
    assert (called.calls, shown.reason) == ([], "this worker has no COPYDESK_WEBHOOK_SECRET to sign with")


async def test_an_address_that_may_not_be_called_any_more_is_not(stores: Stores, called: Receiver) -> None:
    await stores.jobs.add(submission("a", callback_url="http://127.0.0.1:1/"))
    await stores.jobs.cancel("a", NOW)
    assert await round_at(stores, called, NOW) == 1
    [shown] = await SqlCallbacks(stores.database).unanswered(9)
    assert (called.calls, "only https is called" in shown.reason) == ([], True)


async def test_many_are_called_at_once(stores: Stores, called: Receiver) -> None:
    await end(stores, called, *(f"job{number}" for number in range(10)))
    assert [await round_at(stores, called, NOW) for _ in range(3)] == [8, 2, 0]
    assert len({call.headers["webhook-id"] for call in called.calls}) == 10


async def test_one_that_can_not_be_written_holds_up_no_other_and_is_logged_once(
    stores: Stores, called: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    await end(stores, called, "a", "b")

    def body(callback: Callback) -> bytes:
        if isinstance(callback.ended, EndedJob) and callback.ended.job.id == "a":
            raise KeyError("a fault")
        return callback_body(callback)

    caller, callbacks = HttpCaller(CallbackRules((AllowedHost.of(called.host),))), SqlCallbacks(stores.database)
    tellings = await call_due(callbacks, caller, body, keys=KEYS, clock=lambda: NOW)
    assert [each.put_off for each in tellings if each.put_off] == [PutOff("an unexpected KeyError")]
    assert len(tellings) == 2
    assert [json.loads(call.body)["data"]["job_id"] for call in called.calls] == ["b"]
    [shown] = await callbacks.unanswered(9)
    assert (shown.job, shown.reason) == ("a", "an unexpected KeyError")
    [record] = caplog.records
    assert (record.levelname, record.exc_info and record.exc_info[0]) == ("ERROR", KeyError)
