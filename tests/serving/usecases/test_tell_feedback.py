"""From the table to MLflow: after the run, through outages, and again where it was told out of order."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from registry.connection import Registry, connect
from registry.job_runs import find_job_run
from registry.settings import RegistrySettings
from serving.access.audit import Actor
from serving.adapters.mlflow_feedback import MlflowFeedback
from serving.adapters.mlflow_run_log import MlflowRunLog
from serving.adapters.sql_feedback_outbox import SqlFeedbackOutbox
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.stores import Stores
from serving.feedback import Action, ApprovalStatus, Decision, Dismissals
from serving.job import Job
from serving.ports.log import FeedbackNews
from serving.settings import ServingSettings
from serving.telling import Telling
from serving.usecases.log_runs import HOLD, log_next
from serving.usecases.tell_feedback import tell_next
from tests.embedded import with_mlflow
from tests.serving.adapters.test_sql_feedback import checked, dismiss, finding_of, say
from tests.serving.build import NOW, request, untold
from tests.serving.usecases.test_log_runs import FAILURES, at, put_off_for, told_by

SECOND = timedelta(seconds=1)


@dataclass
class Bench:
    """The stores, and an MLflow to tell."""

    stores: Stores
    registry: Registry
    outbox: SqlFeedbackOutbox = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = SqlFeedbackOutbox(self.stores.database)

    async def logged(self, id: str, **fields: object) -> Job:
        job = await checked(self.stores, id, **fields)
        assert await log_next(SqlOutbox(self.stores.database), MlflowRunLog(self.registry), clock=at(NOW))
        return job

    async def tell(self, now: datetime = NOW) -> bool:
        return await tell_next(self.outbox, MlflowFeedback(self.registry), clock=at(now)) is not None

    async def tell_all(self) -> int:
        told = 0
        while await self.tell():
            told += 1
        return told

    def counts(self, job_id: str) -> tuple[float, float] | None:
        run = find_job_run(self.registry, job_id)
        assert run
        found = tuple(run.metrics.get(f"feedback_{action}", -1) for action in ("accepted", "dismissed"))
        return None if found == (-1, -1) else (found[0], found[1])

    def assessments(self, job_id: str) -> dict[str, object]:
        run = find_job_run(self.registry, job_id)
        assert run
        found = self.registry.client.search_traces(
            locations=[run.experiment_id], filter_string=f"client_request_id = '{job_id}'"
        )
        return {each.name: each.metadata["state"] for trace in found for each in trace.info.assessments}


@pytest.fixture
def bench(stores: Stores, settings: ServingSettings) -> Bench:
    return Bench(stores, connect(RegistrySettings(home=with_mlflow(settings.home), mlflow_tracking_uri="")))


class Away:
    """An MLflow that doesn't answer, or that can't take it."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    async def tell(self, news: FeedbackNews) -> None:
        raise self.failure


async def test_decisions_wait_until_the_run_is_logged(bench: Bench) -> None:
    job = await checked(bench.stores)
    words = await finding_of(bench.stores)
    await say(bench.stores, job, Decision(words, Action.ACCEPT))
    assert not await bench.tell()
    assert not await bench.outbox.is_due(NOW)
    assert await untold(bench.stores.database) == 1
    await log_next(SqlOutbox(bench.stores.database), MlflowRunLog(bench.registry), clock=at(NOW))
    assert await bench.outbox.is_due(NOW)
    assert await bench.tell_all() == 1
    assert (bench.counts("a"), bench.assessments("a")) == ((1, 0), {f"accepted/plain-words/{words}": "accepted"})
    assert await untold(bench.stores.database) == 0


async def test_mlflow_says_what_the_table_says_however_often_it_is_told(bench: Bench) -> None:
    job = await bench.logged("a")
    words, claims = [await finding_of(bench.stores, id) for id in ("plain-words", "attribution")]
    await say(bench.stores, job, dismiss(words), Decision(claims, Action.ACCEPT))
    assert await bench.tell_all() == 1
    assert bench.counts("a") == (1, 1)
    await say(bench.stores, job, Decision(words, Action.UNDO), at=NOW + SECOND)
    for _ in range(2):
        await bench.tell(NOW + SECOND)
    assert (bench.counts("a"), bench.assessments("a")) == ((1, 0), {f"accepted/attribution/{claims}": "accepted"})


@pytest.mark.parametrize(("failure", "told"), FAILURES)
async def test_a_failure_delays_it_loses_nothing_and_is_logged_once(
    bench: Bench, failure: Exception, told: tuple[str, str, bool], caplog: pytest.LogCaptureFixture
) -> None:
    job = await bench.logged("a")
    await say(bench.stores, job, dismiss(await finding_of(bench.stores)))
    assert await tell_next(bench.outbox, Away(failure), clock=at(NOW)) == Telling("a", put_off_for(failure, told))
    assert told_by(caplog) == [("decisions about job a are not told to MLflow yet, next try in 2 s", *told)]
    assert not await bench.tell(NOW + SECOND)
    assert await untold(bench.stores.database) == 1
    assert await bench.tell(NOW + timedelta(seconds=2))
    assert bench.counts("a") == (0, 1)


async def test_a_worker_that_died_in_the_middle_is_followed_by_the_next(bench: Bench) -> None:
    job = await bench.logged("a")
    await say(bench.stores, job, dismiss(await finding_of(bench.stores)))
    doomed = await bench.outbox.claim(NOW, HOLD)
    assert doomed
    await MlflowFeedback(bench.registry).tell(doomed)
    assert not await bench.tell(NOW + SECOND)
    assert await bench.tell(NOW + HOLD)
    assert (bench.counts("a"), len(bench.assessments("a"))) == ((0, 1), 1)


async def test_old_news_that_is_told_last_is_put_right(bench: Bench) -> None:
    """A worker was slow: what it tells was changed and told by another one meanwhile."""
    job = await bench.logged("a")
    words = await finding_of(bench.stores)
    await say(bench.stores, job, dismiss(words))

    class Slow(MlflowFeedback):
        async def tell(self, news: FeedbackNews) -> None:
            await say(bench.stores, job, Decision(words, Action.ACCEPT), at=NOW + SECOND)
            assert await bench.tell(NOW + SECOND)
            await super().tell(news)

    assert await tell_next(bench.outbox, Slow(bench.registry), clock=at(NOW))
    assert set(bench.assessments("a").values()) == {"dismissed"}
    assert await bench.tell_all() == 1
    assert (bench.counts("a"), set(bench.assessments("a").values())) == ((1, 0), {"accepted"})


async def test_a_finding_is_told_with_the_job_it_was_decided_on_last(bench: Bench) -> None:
    of_d = request(document_id="d")
    first, second = await bench.logged("a", request=of_d), await bench.logged("b", request=of_d)
    words = await finding_of(bench.stores)
    await say(bench.stores, first, dismiss(words))
    await bench.tell_all()
    assert (bench.counts("a"), bench.counts("b")) == ((0, 1), None)
    await say(bench.stores, second, Decision(words, Action.ACCEPT))
    assert await bench.tell_all() == 2
    assert (bench.counts("a"), bench.counts("b")) == ((0, 0), (1, 0))
    assert (bench.assessments("a"), len(bench.assessments("b"))) == ({}, 1)


async def test_an_approval_is_told(bench: Bench) -> None:
    job = await bench.logged("a")
    await say(bench.stores, job, dismiss(await finding_of(bench.stores)), policy=Dismissals.APPROVAL)
    await bench.tell_all()
    assert set(bench.assessments("a").values()) == {"dismissed-pending"}
    (entry,) = await bench.stores.feedback.pending(0, 1)
    await bench.stores.feedback.judge(entry.id, ApprovalStatus.APPROVED, by=Actor("owner", "none"), comment="", now=NOW)
    await bench.tell_all()
    assert set(bench.assessments("a").values()) == {"dismissed"}
