"""Each index is there for a question that is asked, and PostgreSQL takes it: EXPLAIN over 30,000 jobs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import psycopg
import pytest
from sqlalchemy import Column, Index, delete, event, text
from sqlalchemy.engine import Engine

from serving import adapters
from serving.adapters.postgres import libpq_url
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_callbacks import SqlCallbacks
from serving.adapters.sql_check_cache import SqlKeyValues
from serving.adapters.sql_feedback_outbox import SqlFeedbackOutbox
from serving.adapters.sql_figures import SqlFigures
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.sql_retention import SqlRetention
from serving.adapters.sql_trail import SqlTrail
from serving.adapters.stores import Stores, open_stores
from serving.adapters.tables import jobs, metadata
from serving.job import Job
from serving.ports.jobs import Cursor, Submission
from serving.settings import ServingSettings
from tests.postgres_server import new_database
from tests.serving.build import request, submission

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
JOB = f"{20_000:032}"

# 300 users with 100 jobs each; 1 of 30 waits, 1 of 300 was given up, 1 of 50 is in a batch.
SEED = """
INSERT INTO jobs (id, user_id, channel, document_id, title, language, version, code_digest, blob, status, attempt,
                  done, guideline, reason, submitted_at, request_hash, article_hash, priority, turn, dead, batch_id,
                  batch_number)
SELECT lpad(n::text, 32, '0'), 'user-' || n % 300, 'word', 'document-' || n % 5000, '', 'en', '1', 'code', 'blob-' || n,
       CASE WHEN n % 30 = 0 THEN 'queued' WHEN n % 300 = 1 THEN 'failed' ELSE 'completed' END, 1, 12, '', '',
       timestamptz '2026-11-01' + n * interval '20 seconds', '', 'article-' || n % 20000, CASE WHEN n % 60 = 0 THEN 10
       ELSE 0 END, n / 300, n % 300 = 1, CASE WHEN n % 50 = 2 THEN 'batch-' || n / 5000 END, n
FROM generate_series(1, 30000) AS n;
INSERT INTO results (job_id, report, score) SELECT id, repeat(md5(id), 30), 90 FROM jobs WHERE status = 'completed';
INSERT INTO compliance_results (job_id, guideline_id, severity, verdict, findings)
SELECT id, 'guideline-' || g, 'warning', 'findings', 1 FROM jobs, generate_series(1, 5) AS g WHERE status = 'completed';
INSERT INTO findings (job_id, number, guideline_id, fingerprint)
SELECT id, g, 'guideline-' || (g * 7 + length(id) + turn) % 40, left(md5(id || g), 16)
FROM jobs, generate_series(1, 5) AS g WHERE status = 'completed';
INSERT INTO outbox (job_id, attempts, due_at, reason, run_id)
SELECT id, 1, CASE WHEN submitted_at > timestamptz '2026-11-07 21:00' THEN submitted_at END, '', 'run' FROM jobs
WHERE status <> 'queued';
INSERT INTO audit (id, at, user_id, via, action, subject, detail)
SELECT n::text, timestamptz '2026-11-01' + n * interval '1 minute', 'root', 'key', 'drain.begin', '', ''
FROM generate_series(1, 20000) AS n;
INSERT INTO batches (id, user_id, name, total, submitted_at, request_hash)
SELECT 'batch-' || n, 'user-' || n % 300, '', 100, timestamptz '2026-11-01' + n * interval '1 minute', ''
FROM generate_series(0, 5000) AS n;
INSERT INTO feedback (user_id, document, fingerprint, guideline_id, action, reason, comment, job_id, version, at)
SELECT 'user-' || n % 300, 'id:document-' || n % 5000, 'f' || n % 7, 'guideline-' || n % 40, 'dismiss', 'other', '',
       lpad(n::text, 32, '0'), '1', timestamptz '2026-11-01' + n * interval '20 seconds'
FROM generate_series(1, 30000) AS n;
INSERT INTO feedback_approvals (feedback_id, status, user_id, comment)
SELECT id, CASE WHEN id % 100 = 0 THEN 'pending' ELSE 'approved' END, 'owner', '' FROM feedback;
INSERT INTO feedback_outbox (job_id, attempts, due_at, reason)
SELECT job_id, 1, CASE WHEN at > timestamptz '2026-11-07 21:00' THEN at END, '' FROM feedback;
INSERT INTO callbacks (message, job_id, url, attempts, due_at, reason)
SELECT id, id, '', 1, CASE WHEN submitted_at > timestamptz '2026-11-07 21:00' THEN submitted_at END, '' FROM jobs
WHERE status <> 'queued';
INSERT INTO kept_checks (key, verdict, kept_at) SELECT id, '', submitted_at FROM jobs;
INSERT INTO recordings (job_id, recording) SELECT id, '' FROM jobs;
INSERT INTO job_keys (user_id, idempotency_key, request_hash, job_id) SELECT user_id, id, '', id FROM jobs;
INSERT INTO shadows (id, version, champion, share, user_id, started_at, reason)
VALUES ('shadow', '2', '1', 0.1, 'root', timestamptz '2026-11-01', '');
INSERT INTO shadow_checks (shadow_id, unit, job_id, offered_at, state, attempts, reason, calls, cost)
SELECT 'shadow', id, id, submitted_at, 'compared', 1, '', 1, 0 FROM jobs;
INSERT INTO shadow_results (shadow_id, job_id, guideline_id, "both", only_champion, only_challenger)
SELECT 'shadow', id, 'guideline-1', 1, '', '' FROM jobs;
"""


@pytest.fixture(scope="module")
def filled(postgres: str, migrated: str) -> str:
    url = new_database(postgres, like=migrated)
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute(SEED)
        connection.execute("VACUUM ANALYZE")  # an index alone answers only for pages that vacuum has seen
    return url


@pytest.fixture
async def stores(filled: str, tmp_path: Any) -> AsyncIterator[Stores]:
    async with open_stores(ServingSettings(home=tmp_path, db_connection_string=filled)) as stores:
        yield stores


async def plans(stores: Stores, ask: Callable[[Stores], Awaitable[object]]) -> list[str]:
    """`Node Type index` of every node of the plans of the statements that answer a question."""
    asked: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await ask(stores)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    found: list[str] = []
    async with stores.database.read() as connection:
        for statement, parameters in asked:
            if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")) and "pg_advisory" not in statement:
                explained = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                found += nodes(explained.scalar_one()[0]["Plan"])
    return found


def nodes(plan: dict[str, Any]) -> list[str]:
    own = " ".join(part for part in (plan["Node Type"], plan.get("Index Name"), plan.get("Relation Name")) if part)
    return [own, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def again(id: str) -> Submission:
    """An article like one that was sent before."""
    job = submission(id, article_hash="article-7", submitted=START + timedelta(days=6)).job
    return Submission(job, duplicates_since=START)


def later_check() -> Job:
    of_document = request(user="user-7", document_id="document-7")
    return submission("later", request=of_document, submitted=START + timedelta(days=6)).job


# What the product asks, by the index that answers it.
QUESTIONS: dict[str, Callable[[Stores], Awaitable[object]]] = {
    "ix_jobs_user_submitted": lambda s: s.jobs.page("user-7", Cursor(START + timedelta(days=5), "x"), 20),
    "ix_jobs_status_submitted": lambda s: s.jobs.dead(Cursor(START + timedelta(days=5), "x"), 50),
    "ix_jobs_user_status": lambda s: s.jobs.add(again("again")),
    "ix_jobs_document": lambda s: SqlTrail(s.database).before(later_check()),
    "ix_jobs_article": lambda s: s.jobs.add(again("again")),
    "ix_jobs_waiting": lambda s: s.jobs.position(submission("waits", turn=50).job),
    "Index Only Scan ix_jobs_status_lookup": lambda s: s.jobs.revisions([JOB]),
    "ix_jobs_batch": lambda s: s.batches.jobs("batch-3", 0, 100),
    "ix_batches_user_submitted": lambda s: s.batches.page("user-7", None, 20),
    "compliance_results_pkey": lambda s: s.batches.progress("batch-3"),
    "ix_findings_fingerprint": lambda s: SqlTrail(s.database).jobs_with("0123456789abcdef"),
    "ix_outbox_due": lambda s: SqlOutbox(s.database).is_due(START + timedelta(days=7)),
    "ix_outbox_given_up": lambda s: SqlRetention(s.database).forget_jobs(START + HOUR, 10),
    "ix_callbacks_due": lambda s: SqlCallbacks(s.database).is_due(START + timedelta(days=7)),
    "ix_kept_checks_kept_at": lambda s: SqlKeyValues(s.database, lambda: START + HOUR).forget(timedelta()),
    "ix_feedback_finding": lambda s: s.feedback.standing("user-7", "id:document-7"),
    "ix_feedback_job": lambda s: SqlRetention(s.database).forget_jobs(START + HOUR, 10),
    "ix_feedback_at": lambda s: SqlFigures(s.database).counts(START + timedelta(days=6, hours=22), ""),
    "ix_feedback_approvals_pending": lambda s: s.feedback.pending(7, 20),
    "ix_feedback_outbox_due": lambda s: SqlFeedbackOutbox(s.database).is_due(START + timedelta(days=7)),
    "ix_jobs_blob": lambda s: SqlRetention(s.database).used(["blob-7"]),
    "ix_audit_at": lambda s: SqlAudit(s.database).page(None, 50),
}


@pytest.mark.parametrize("index", QUESTIONS)
async def test_a_question_is_answered_from_its_index(stores: Stores, index: str) -> None:
    assert index in " ".join(found := await plans(stores, QUESTIONS[index])), found


@pytest.mark.parametrize("index", QUESTIONS)
async def test_no_question_reads_a_whole_table(stores: Stores, index: str) -> None:
    assert not [node for node in await plans(stores, QUESTIONS[index]) if node.startswith("Seq Scan")]


async def test_what_goes_with_a_job_is_found_by_an_index(stores: Stores) -> None:
    """PostgreSQL itself asks each table that refers to jobs; what it plans is not to be had, what it read is."""
    whole = text("SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0")
    async with stores.database.write() as connection:
        await connection.execute(delete(jobs).where(jobs.c.id == JOB))
        assert set((await connection.execute(whole)).scalars()) & metadata.tables.keys() == set()


def test_no_index_comes_without_a_question() -> None:
    """Those of references are asked when what they refer to is deleted."""
    for module in iter_modules(adapters.__path__):
        if module.name.endswith("_tables"):
            import_module(f"serving.adapters.{module.name}")
    indexes = [index for table in metadata.tables.values() for index in table.indexes]
    asked = {index.split()[-1] for index in QUESTIONS}
    assert [index.name for index in indexes if index.name not in asked and not _refers(index)] == []


def _refers(index: Index) -> bool:
    first = index.expressions[0]
    return isinstance(first, Column) and bool(first.foreign_keys)
