"""What is older than it may be kept goes, and nothing else does."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select, update

from registry.errors import RegistryUnreachable
from serving.access.audit import Actor
from serving.adapters.access_tables import audit
from serving.adapters.batch_tables import batches
from serving.adapters.feedback_tables import feedback, feedback_approvals, feedback_outbox
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_retention import SqlRetention
from serving.adapters.sql_unlogged import SqlUnlogged
from serving.adapters.stores import Stores
from serving.adapters.tables import compliance_results, findings, jobs, outbox, results
from serving.feedback import Action, ApprovalStatus, Decision, Dismissals, Reason, Saying
from serving.job import JobStatus
from serving.ports.log import UnloggedCount
from serving.settings import Ages
from serving.usecases.purge import Purged, purge
from tests.serving.adapters.test_sql_batches import batch_submission
from tests.serving.build import NOW, ROOT, claim, report, submission

OWNER = Actor("owner", "entra")
OTHER = Actor("other", "entra")

AGES = Ages(articles=timedelta(days=180), logs=timedelta(days=90), audit=timedelta(days=365))
LATER = NOW + timedelta(days=181)


async def no_runs(before: datetime) -> int:
    return 0


async def count(stores: Stores, table: Table) -> int:
    async with stores.database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def checked(stores: Stores, id: str, blob: str, *, told: bool = True, at: datetime = NOW) -> None:
    await stores.jobs.add(submission(id, blob=blob, submitted=at))
    running = await claim(stores, at)
    await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, at), await report())
    if told:
        async with stores.database.write() as connection:
            await connection.execute(update(outbox).where(outbox.c.job_id == id).values(due_at=None))


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "articles")


async def put(blobs: FolderBlobs, folder: Path, data: bytes, at: datetime = NOW) -> str:
    key = await blobs.put(data)
    os.utime(folder / "articles" / key[:2] / key, (at.timestamp(), at.timestamp()))
    return key


async def run(stores: Stores, blobs: FolderBlobs, folder: Path, now: datetime = LATER) -> Purged:
    return await purge(SqlRetention(stores.database), blobs, no_runs, folder / "logs", ages=AGES, now=now)


async def test_an_old_job_goes_with_all_that_was_found_in_it(
    stores: Stores, blobs: FolderBlobs, tmp_path: Path
) -> None:
    old, shared, orphan = [await put(blobs, tmp_path, data) for data in (b"old", b"shared", b"orphan")]
    await checked(stores, "old", old)
    await checked(stores, "old-too", shared)
    await checked(stores, "young", shared, at=NOW + timedelta(days=2))
    assert await run(stores, blobs, tmp_path, NOW + timedelta(days=180)) == Purged()
    assert await run(stores, blobs, tmp_path) == Purged(jobs=2, articles=2)
    assert [await blobs.get(key) for key in (old, shared, orphan)] == [None, b"shared", None]
    assert await stores.jobs.get("young")
    assert [await count(stores, table) for table in (jobs, results, outbox)] == [1, 1, 1]
    assert await count(stores, findings) == len((await report()).findings)
    assert await count(stores, compliance_results) == len((await report()).outcomes)
    assert await run(stores, blobs, tmp_path) == Purged()


async def test_what_is_not_done_with_stays_whatever_its_age(stores: Stores, blobs: FolderBlobs, tmp_path: Path) -> None:
    key = await put(blobs, tmp_path, b"kept")
    await checked(stores, "not-logged", key, told=False)
    await stores.jobs.add(submission("waits", blob=key))
    assert await run(stores, blobs, tmp_path) == Purged()
    assert (await count(stores, jobs), await blobs.get(key)) == (2, b"kept")


async def test_what_was_given_up_goes_with_its_job(stores: Stores, blobs: FolderBlobs, tmp_path: Path) -> None:
    """Also where something was decided since, which waits for the run."""
    key, unlogged = await put(blobs, tmp_path, b"refused"), SqlUnlogged(stores.database)
    await checked(stores, "refused", key, told=False)
    job, guidelines = await stores.jobs.get("refused"), await stores.feedback.findings("refused")
    assert job
    assert await unlogged.give_up("refused", "MLflow never takes it", ROOT, NOW)
    accepted = Decision(next(iter(guidelines)), Action.ACCEPT)
    await stores.feedback.decide(Saying(job, guidelines, (accepted,), NOW, Dismissals.AT_ONCE))
    assert await run(stores, blobs, tmp_path) == Purged(jobs=1, articles=1)
    assert await unlogged.count() == UnloggedCount(due=0, given_up=0)


async def test_decisions_stay_without_what_was_written_of_them(
    stores: Stores, blobs: FolderBlobs, tmp_path: Path
) -> None:
    for id, at in (("old", NOW), ("young", NOW + timedelta(days=2))):
        await checked(stores, id, await put(blobs, tmp_path, id.encode()), at=at)
        job = await stores.jobs.get(id)
        assert job
        (finding, *_) = await stores.feedback.findings(id)
        said = Decision(finding, Action.DISMISS, Reason.OTHER, "It quotes the article.")
        await stores.feedback.decide(Saying(job, await stores.feedback.findings(id), [said], at, Dismissals.APPROVAL))
        for entry in await stores.feedback.pending(0, 10):
            await stores.feedback.judge(entry.id, ApprovalStatus.DECLINED, by=OWNER, comment="As does this.", now=at)
    assert await run(stores, blobs, tmp_path) == Purged()  # MLflow is to be told of the decisions first
    async with stores.database.write() as connection:
        await connection.execute(update(feedback_outbox).values(due_at=None))
    assert (await run(stores, blobs, tmp_path)).jobs == 1
    async with stores.database.read() as connection:
        left = select(feedback.c.job_id, feedback.c.reason, feedback.c.comment).order_by(feedback.c.id)
        assert (await connection.execute(left)).all() == [
            ("old", "other", ""),
            ("young", "other", "It quotes the article."),
        ]
        comments = select(feedback_approvals.c.comment).order_by(feedback_approvals.c.feedback_id)
        assert list((await connection.execute(comments)).scalars()) == ["", "As does this."]


async def test_an_article_that_is_sent_again_is_young_again(blobs: FolderBlobs, tmp_path: Path) -> None:
    key = await put(blobs, tmp_path, b"again")
    assert [old async for old in blobs.older_than(LATER)] == [key]
    await blobs.put(b"again")
    now = datetime.now(NOW.tzinfo)
    assert [old async for old in blobs.older_than(now - timedelta(minutes=1))] == []
    assert await blobs.delete(key, put_before=now - timedelta(minutes=1)) is False
    assert await blobs.delete(key, put_before=now + timedelta(minutes=1)) is True


async def test_batches_audit_and_logs_go_by_their_own_ages(stores: Stores, blobs: FolderBlobs, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, age in (("api.log", 91), ("worker.log", 89)):
        (logs / name).touch()
        moment = (LATER - timedelta(days=age)).timestamp()
        os.utime(logs / name, (moment, moment))
    for age in (366, 364):
        await SqlAudit(stores.database).note(ROOT, "drain.begin", "drain", now=LATER - timedelta(days=age))
    await stores.batches.add(batch_submission("left"))
    await stores.batches.add(batch_submission("gone"))
    async with stores.database.write() as connection:
        await connection.execute(jobs.delete().where(jobs.c.batch_id == "gone"))
    assert await run(stores, blobs, tmp_path) == Purged(batches=1, audit=1, logs=1)
    assert ([path.name for path in logs.iterdir()], await count(stores, audit), await count(stores, batches)) == (
        ["worker.log"],
        1,
        1,
    )


async def test_while_mlflow_is_down_the_audit_and_the_logs_go_all_the_same(
    stores: Stores, blobs: FolderBlobs, tmp_path: Path
) -> None:
    async def away(before: datetime) -> int:
        raise RegistryUnreachable("MLflow is down")

    await SqlAudit(stores.database).note(ROOT, "drain.begin", "drain", now=LATER - timedelta(days=366))
    with pytest.raises(RegistryUnreachable):
        await purge(SqlRetention(stores.database), blobs, away, tmp_path / "logs", ages=AGES, now=LATER)
    assert await count(stores, audit) == 0
