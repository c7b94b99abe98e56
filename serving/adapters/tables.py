"""The tables, and how rows become jobs and back."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    desc,
    false,
    text,
)
from sqlalchemy.engine import Dialect, RowMapping

from serving.job import Job, JobStatus, Priority, Request


class UtcDateTime(TypeDecorator[datetime]):
    """Aware in and out, UTC in the database: SQLite forgets time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", String(200), nullable=False),
    Column("channel", String(50), nullable=False),
    Column("document_id", String(500), nullable=False),
    Column("title", Text, nullable=False),
    Column("language", String(35), nullable=False),
    Column("guidelines", Text),  # JSON list of ids; null: all
    Column("version", String(20), nullable=False),
    Column("code_digest", String(64), nullable=False),
    Column("blob", String(64), nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer),
    Column("guideline", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
    Column("idempotency_key", String(200)),  # null: none was given
    Column("request_hash", String(64), nullable=False),
    Column("article_hash", String(64), nullable=False, server_default=""),  # equal for what would be checked alike
    Column("priority", Integer, nullable=False, server_default="0"),  # a lower one goes first
    Column("turn", BigInteger, nullable=False, server_default="0"),  # among its priority: fair shares, see `turns`
    Column("due_at", UtcDateTime),  # a queued job isn't handed out before
    Column("dead", Boolean, nullable=False, server_default=false()),  # given up after too many attempts
    Column("attempts_from", Integer, nullable=False, server_default="0"),  # earlier attempts don't count any more
    Column("revision", Integer, nullable=False, server_default="0"),  # grows with each change that a client sees
    Column("checked", Text, nullable=False, server_default=""),  # ids of the guidelines that are done, by commas
    Column("callback_url", Text, nullable=False, server_default=""),
    Column("batch_id", String(32)),
    Column("batch_number", Integer),  # place in its batch, from 1
    Column("trace_parent", String(64), nullable=False, server_default=""),  # W3C Trace Context
    UniqueConstraint("user_id", "idempotency_key"),
)
Index("ix_jobs_status_submitted", jobs.c.status, desc(jobs.c.submitted_at))
Index("ix_jobs_user_status", jobs.c.user_id, jobs.c.status)  # whether a user waits already, for each new job
Index("ix_jobs_user_submitted", jobs.c.user_id, jobs.c.submitted_at, jobs.c.id)  # a page of somebody's jobs
Index("ix_jobs_document", jobs.c.user_id, jobs.c.document_id)
Index("ix_jobs_blob", jobs.c.blob)  # jobs of one text: what was said of it, and whether it is still needed
Index("ix_jobs_article", jobs.c.article_hash, jobs.c.submitted_at)  # duplicates
Index(
    "ix_jobs_batch",
    jobs.c.batch_id,
    jobs.c.batch_number,
    postgresql_where=text("batch_id IS NOT NULL"),
    sqlite_where=text("batch_id IS NOT NULL"),
)
Index(
    "ix_jobs_waiting",  # the queue in its order; small, because jobs leave it
    jobs.c.status,
    jobs.c.priority,
    jobs.c.turn,
    jobs.c.submitted_at,
    jobs.c.id,
    postgresql_where=text("status = 'queued'"),
    sqlite_where=text("status = 'queued'"),
)
# Covers the question whether a job has changed, which is asked most. Not the rest of a status: that read four pages
# either way, each step of a job wrote 1.8 KB of log in place of 1.4, and a row of many `checked` didn't fit at all.
Index(
    "ix_jobs_status_lookup",
    jobs.c.id,
    postgresql_include=["user_id", "status", "done", "total", "guideline", "revision"],
).ddl_if(dialect="postgresql")

job_keys = Table(
    "job_keys",  # of requests whose article had a job before: that one's own key is another, or none
    metadata,
    Column("user_id", String(200), primary_key=True),
    Column("idempotency_key", String(200), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Index("ix_job_keys_job", "job_id"),
)

results = Table(
    "results",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("report", Text, nullable=False),  # a ComplianceReport as JSON
    Column("score", Float),  # the report's; null where nothing was checked
    Column("words", Integer),  # of the article. Null: of a worker of an earlier release, as all that follow
    Column("cost", Float),  # of the model's answers; null also where some model has no price
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    Column("seconds", Float),  # that the check took
)

outbox = Table(
    "outbox",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime),  # null: logged, or given up where there is a reason
    Column("reason", Text, nullable=False),  # of the last failure, or why it was given up
    Column("run_id", String(64), nullable=False),
    Index("ix_outbox_due", "due_at"),
    Index(
        "ix_outbox_given_up",  # few: of them, decisions don't wait
        "job_id",
        postgresql_where=text("due_at IS NULL AND reason <> ''"),
        sqlite_where=text("due_at IS NULL AND reason <> ''"),
    ),
)

compliance_results = Table(
    "compliance_results",  # one row a guideline of a report
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("guideline_id", String(64), primary_key=True),
    Column("severity", String(20), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("method", String(20)),
    Column("findings", Integer, nullable=False),
    Column("unanchored", Integer, nullable=False, server_default="0"),  # quotes that aren't in the article
)

findings = Table(
    "findings",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),  # place in the report, from 0
    Column("guideline_id", String(64), nullable=False),
    Column("fingerprint", String(16), nullable=False),
    Index("ix_findings_fingerprint", "fingerprint"),  # the jobs that raised it
)

served_versions = Table(
    "served_versions",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("stamp", Text, nullable=False),  # a VersionStamp as JSON
    Column("pack", Text, nullable=False),  # a GuidelinePack as JSON
    Column("champion", Boolean, nullable=False),
    Column("served_at", UtcDateTime, nullable=False),
    Column("prompts", Text, nullable=False, server_default="{}"),  # JSON: guideline -> MLflow prompt URI
    Column("model", Text, nullable=False, server_default=""),  # a ModelSpec as JSON; empty: it declares none
)

locks = Table(
    "locks",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("holder", String(100), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

recordings = Table(
    "recordings",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("recording", LargeBinary, nullable=False),  # until the job is logged
)

kept_checks = Table(
    "kept_checks",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("verdict", LargeBinary, nullable=False),  # a KeptVerdict as JSON
    Column("kept_at", UtcDateTime, nullable=False),
    Index("ix_kept_checks_kept_at", "kept_at"),
)


def job_of(row: RowMapping) -> Job:
    return Job(
        id=row["id"],
        request=Request(
            user=row["user_id"],
            channel=row["channel"],
            document_id=row["document_id"],
            title=row["title"],
            language=row["language"],
            guidelines=None if row["guidelines"] is None else tuple(json.loads(row["guidelines"])),
        ),
        version=row["version"],
        code_digest=row["code_digest"],
        blob=row["blob"],
        submitted=row["submitted_at"],
        status=JobStatus(row["status"]),
        attempt=row["attempt"],
        done=row["done"],
        total=row["total"],
        guideline=row["guideline"],
        reason=row["reason"],
        started=row["started_at"],
        finished=row["finished_at"],
        lease_until=row["lease_until"],
        priority=Priority(row["priority"]),
        turn=row["turn"],
        due=row["due_at"],
        dead=row["dead"],
        attempts_from=row["attempts_from"],
        revision=row["revision"],
        article_hash=row["article_hash"],
        checked=tuple(row["checked"].split(",")) if row["checked"] else (),
        callback_url=row["callback_url"],
        batch=row["batch_id"] or "",
        trace_parent=row["trace_parent"],
    )


def state_of(job: Job) -> dict[str, Any]:
    """The columns that change while a job lives."""
    return {
        "status": job.status.value,
        "attempt": job.attempt,
        "done": job.done,
        "total": job.total,
        "guideline": job.guideline,
        "checked": ",".join(job.checked),
        "reason": job.reason,
        "started_at": job.started,
        "finished_at": job.finished,
        "lease_until": job.lease_until,
        "due_at": job.due,
        "dead": job.dead,
        "attempts_from": job.attempts_from,
    }


def row_of(job: Job) -> dict[str, Any]:
    request = job.request
    return state_of(job) | {
        "id": job.id,
        "user_id": request.user,
        "channel": request.channel,
        "document_id": request.document_id,
        "title": request.title,
        "language": request.language,
        "guidelines": None if request.guidelines is None else json.dumps(request.guidelines),
        "version": job.version,
        "code_digest": job.code_digest,
        "blob": job.blob,
        "submitted_at": job.submitted,
        "priority": job.priority.value,
        "turn": job.turn,
        "revision": job.revision,
        "article_hash": job.article_hash,
        "callback_url": job.callback_url,
        "batch_id": job.batch or None,
        "trace_parent": job.trace_parent,
    }
