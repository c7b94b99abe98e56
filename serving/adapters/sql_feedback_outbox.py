"""Jobs whose decisions MLflow is to be told of, in the database."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.adapters.database import Database
from serving.adapters.feedback_tables import feedback, feedback_outbox
from serving.adapters.sql_feedback import ENTRIES, WITH_APPROVAL, entry_of, standing_ids
from serving.adapters.sql_outbox import LOGGED
from serving.adapters.tables import job_of, jobs, outbox
from serving.feedback import Action, document_of
from serving.job import Job
from serving.ports.log import FeedbackNews

OF_LOGGED = and_(outbox.c.job_id == feedback_outbox.c.job_id, LOGGED, outbox.c.run_id != "")


class SqlFeedbackOutbox:
    """A job is due while more was decided than was told, unless that was given up; its run is logged first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_due(self, now: datetime) -> bool:
        async with self._database.read() as connection:
            return (await connection.execute(_next_due(now))).first() is not None

    async def claim(self, now: datetime, hold: timedelta) -> FeedbackNews | None:
        async with self._database.write() as connection:
            due = _next_due(now).with_for_update(skip_locked=True, of=feedback_outbox)
            row = (await connection.execute(due)).mappings().first()
            if row is None:
                return None
            job, attempt = job_of(row), row["told_attempts"] + 1
            own = feedback_outbox.c.job_id == job.id
            await connection.execute(update(feedback_outbox).where(own).values(due_at=now + hold, attempts=attempt))
            return await _news(connection, job, row["run_id"], attempt)

    async def told(self, news: FeedbackNews) -> bool:
        return await self._update(news, due_at=None, reason="")

    async def again(self, news: FeedbackNews, now: datetime) -> None:
        of = feedback_outbox.c
        own = and_(of.job_id == news.job.id, or_(of.due_at.is_not(None), of.reason == ""))  # not what was given up
        once_more = {"due_at": now, "attempts": of.attempts + 1}
        async with self._database.write() as connection:
            await connection.execute(update(feedback_outbox).where(own).values(once_more))

    async def postponed(self, news: FeedbackNews, until: datetime, reason: str) -> bool:
        return await self._update(news, due_at=until, reason=reason)

    async def _update(self, news: FeedbackNews, **values: object) -> bool:
        of = feedback_outbox.c
        own = and_(of.job_id == news.job.id, of.attempts == news.attempt, of.due_at.is_not(None))
        async with self._database.write() as connection:
            return bool((await connection.execute(update(feedback_outbox).where(own).values(**values))).rowcount)


async def _news(connection: AsyncConnection, job: Job, run_id: str, attempt: int) -> FeedbackNews:
    """A finding belongs to the job with whose report it was decided last, so that each is told of once."""
    said = select(feedback.c.fingerprint).where(feedback.c.job_id == job.id)
    ids = standing_ids(
        feedback.c.user_id == job.request.user,
        feedback.c.document == document_of(job),
        feedback.c.fingerprint.in_(said),
    )
    query = select(*ENTRIES).select_from(WITH_APPROVAL).where(feedback.c.id.in_(ids)).order_by(feedback.c.id)
    latest = [entry_of(row) for row in (await connection.execute(query)).mappings()]
    return FeedbackNews(
        job=job,
        run_id=run_id,
        entries=tuple(e for e in latest if e.job_id == job.id and e.decision.action is not Action.UNDO),
        guidelines=tuple(sorted({entry.guideline for entry in latest})),
        latest=max((entry.id for entry in latest), default=0),
        attempt=attempt,
    )


def _next_due(now: datetime) -> Select[Any]:
    return (
        select(jobs, feedback_outbox.c.attempts.label("told_attempts"), outbox.c.run_id)
        .join(feedback_outbox, feedback_outbox.c.job_id == jobs.c.id)
        .join(outbox, OF_LOGGED)
        .where(feedback_outbox.c.due_at <= now)
        .order_by(feedback_outbox.c.due_at, jobs.c.id)
        .limit(1)
    )
