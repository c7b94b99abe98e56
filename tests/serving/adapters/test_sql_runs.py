"""What was checked, as SQLite and PostgreSQL tell it."""

from datetime import timedelta

import pytest

from agent.check import Usage
from serving.access.audit import Actor
from serving.adapters.sql_runs import SqlRuns
from serving.adapters.sql_unlogged import SqlUnlogged
from serving.adapters.stores import WorkerStores
from serving.adapters.tables import outbox, results
from serving.job import JobStatus
from serving.runs import Scope, Side
from tests.agent.build import guideline, pack, prompt_guideline
from tests.serving.build import NOW
from tests.serving.pages.seeding import Seed

HOUR = timedelta(hours=1)
ADMIN = Actor("root", via="command")
ALL = Side("", NOW - timedelta(days=1), NOW + timedelta(days=1))
PACK = pack(guideline("a"), prompt_guideline("b"))


@pytest.fixture
def seed(stores: WorkerStores) -> Seed:
    return Seed(stores, PACK, NOW)


@pytest.fixture
def runs(stores: WorkerStores) -> SqlRuns:
    return SqlRuns(stores.database)


async def test_a_document_is_told_with_its_facts(seed: Seed, runs: SqlRuns) -> None:
    usage = Usage(calls=1, input_tokens=900, output_tokens=40, cost=0.25)
    job = await seed.checked(
        {"a": 2}, at=NOW, words=500, version="7", run="r1", seconds=2.5, usage=usage, title="T", document_id="city/1"
    )
    (found,) = await runs.documents(ALL, Scope(), 10)
    assert (found.job_id, found.user, found.document, found.title) == (job.id, "ada", "id:city/1", "T")
    assert (found.version, found.words, found.run_id, found.submitted) == ("7", 500, "r1", NOW)
    assert (found.cost, found.input_tokens, found.output_tokens, found.seconds) == (0.25, 900, 40, 2.5)
    assert found.turnaround == pytest.approx(2.8)
    assert found.findings == {"a": 2, "b": 0}


async def test_a_run_that_was_begun_and_given_up_is_none(seed: Seed, stores: WorkerStores, runs: SqlRuns) -> None:
    job = await seed.checked({}, at=NOW, run="r1")
    async with stores.database.write() as connection:
        await connection.execute(outbox.update().values(due_at=NOW))
    assert await SqlUnlogged(stores.database).give_up(job.id, "it is refused", ADMIN, NOW)
    (found,) = await runs.documents(ALL, Scope(), 10)
    assert found.run_id == ""


async def test_what_a_worker_of_the_release_before_stored_is_read_from_its_report(
    seed: Seed, stores: WorkerStores, runs: SqlRuns
) -> None:
    usage = Usage(calls=1, input_tokens=900, output_tokens=40, cost=0.25)
    await seed.checked({"a": 2}, at=NOW, words=500, seconds=2.5, usage=usage)
    kept = await runs.documents(ALL, Scope(), 10)
    absent = dict.fromkeys(("words", "cost", "input_tokens", "output_tokens", "seconds"))
    async with stores.database.write() as connection:
        await connection.execute(results.update().values(absent))
    assert await runs.documents(ALL, Scope(), 10) == kept


async def test_a_cost_that_is_not_known_is_none(seed: Seed, runs: SqlRuns) -> None:
    await seed.checked({}, at=NOW, usage=Usage(calls=1, cost=None))
    (found,) = await runs.documents(ALL, Scope(), 10)
    assert found.cost is None


async def test_a_document_counts_once_by_its_latest_report_that_is_whole(seed: Seed, runs: SqlRuns) -> None:
    await seed.checked({"a": 1}, at=NOW, document_id="d")
    latest = await seed.checked({"a": 2}, at=NOW + HOUR, document_id="d")
    await seed.checked({"a": 3}, at=NOW + 2 * HOUR, document_id="d", failed="b")
    other = await seed.checked({"a": 4}, at=NOW + HOUR / 2, document_id="d", user="ben")
    found = await runs.documents(ALL, Scope(), 10)
    assert [(one.job_id, one.findings["a"]) for one in found] == [(latest.id, 2), (other.id, 4)]
    assert len(await runs.documents(ALL, Scope(), 1)) == 1


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), {"x", "y", "z"}),
        (Scope(channel="word"), {"x", "y"}),
        (Scope(documents="city/"), {"x"}),
        (Scope(documents="c%"), set()),
        (Scope(guideline="b"), {"x", "y", "z"}),
        (Scope(guideline="none"), set()),
    ],
)
async def test_sides_are_narrowed(seed: Seed, runs: SqlRuns, scope: Scope, expected: set[str]) -> None:
    for title, document, channel in (("x", "city/1", "word"), ("y", "cote", "word"), ("z", "sport/1", "page")):
        await seed.checked({}, at=NOW, title=title, document_id=document, channel=channel)
    found = await runs.documents(ALL, scope, 10)
    assert {one.title for one in found} == expected
    if scope.guideline == "b":
        assert {tuple(one.findings) for one in found} == {("b",)}


async def test_sides_are_a_version_and_a_time(seed: Seed, runs: SqlRuns) -> None:
    for version, at in (("1", NOW), ("2", NOW), ("1", NOW + 2 * HOUR)):
        await seed.checked({}, at=at, version=version, title=f"{version} {at:%H}", document_id=f"{version} {at}")
    found = await runs.documents(Side("1", NOW, NOW + HOUR), Scope(), 10)
    assert [one.title for one in found] == ["1 12"]
    assert [one.title for one in await runs.documents(Side("1", NOW + HOUR, NOW + 2 * HOUR), Scope(), 10)] == []
    assert await runs.versions(NOW) == {"1": 2, "2": 1}
    assert await runs.versions(NOW + HOUR) == {"1": 1}
    assert await runs.channels(NOW) == ["word"]


async def test_findings_and_reports_are_told_by_job(seed: Seed, runs: SqlRuns) -> None:
    job = await seed.checked({"a": 2, "b": 1}, at=NOW)
    raised = await runs.raised([job.id])
    assert sorted(one.guideline for one in raised) == ["a", "a", "b"]
    report = (await runs.reports([job.id]))[job.id]
    assert {one.fingerprint for one in raised} == {finding.fingerprint for finding in report.findings}
    assert await runs.raised([]) == []


async def test_the_day_s_jobs_are_those_that_ended(seed: Seed, runs: SqlRuns) -> None:
    await seed.checked({}, at=NOW, seconds=2)
    await seed.job(at=NOW)
    await seed.checked({}, at=NOW - HOUR)
    (ended,) = await runs.ended(NOW)
    assert (ended.status, ended.submitted) == (JobStatus.COMPLETED, NOW)
    assert ended.finished == NOW + timedelta(seconds=2.3)
