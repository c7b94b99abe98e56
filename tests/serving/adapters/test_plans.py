"""Each index is there for a question that is asked, and PostgreSQL takes it: EXPLAIN over 30,000 jobs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Select, event, func, select
from sqlalchemy.engine import Engine

from serving.adapters.feedback_tables import feedback
from serving.adapters.postgres import libpq_url
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_feedback_outbox import SqlFeedbackOutbox
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.sql_retention import SqlRetention
from serving.adapters.stores import Stores, open_stores
from serving.adapters.tables import findings, jobs
from serving.ports.jobs import Cursor, Submission
from serving.settings import ServingSettings
from tests.postgres_server import new_database
from tests.serving.build import submission

START = datetime(2026, 11, 1, tzinfo=UTC)
OF_USER = jobs.c.user_id == "user-7"

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
SELECT id, g, 'guideline-' || (g * 7 + length(id) + turn) % 40, 'f' FROM jobs, generate_series(1, 5) AS g
WHERE status = 'completed';
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
            if statement.lstrip().startswith(("SELECT", "DELETE")) and "pg_advisory" not in statement:
                explained = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                found += nodes(explained.scalar_one()[0]["Plan"])
    return found


def nodes(plan: dict[str, Any]) -> list[str]:
    own = " ".join(part for part in (plan["Node Type"], plan.get("Index Name"), plan.get("Relation Name")) if part)
    return [own, *(node for child in plan.get("Plans", []) for node in nodes(child))]


async def scalar(stores: Stores, query: Select[Any]) -> object:
    async with stores.database.read() as connection:
        return await connection.scalar(query)


def again(id: str) -> Submission:
    """An article like one that was sent before."""
    job = submission(id, article_hash="article-7", submitted=START + timedelta(days=6)).job
    return Submission(job, duplicates_since=START)


# What is asked, by the index that answers it.
QUESTIONS: dict[str, Callable[[Stores], Awaitable[object]]] = {
    "ix_jobs_user_submitted": lambda s: s.jobs.page("user-7", Cursor(START + timedelta(days=5), "x"), 20),
    "ix_jobs_status_submitted": lambda s: s.jobs.dead(Cursor(START + timedelta(days=5), "x"), 50),
    "ix_jobs_user_status": lambda s: scalar(s, select(func.count()).where(OF_USER, jobs.c.status == "completed")),
    "ix_jobs_article": lambda s: s.jobs.add(again("again")),
    "ix_jobs_waiting": lambda s: s.jobs.position(submission("waits", turn=50).job),
    "Index Only Scan ix_jobs_status_lookup": lambda s: s.jobs.revisions(["0" * 31 + "7"]),
    "ix_jobs_batch": lambda s: s.batches.jobs("batch-3", 0, 100),
    "ix_batches_user_submitted": lambda s: s.batches.page("user-7", None, 20),
    "compliance_results_pkey": lambda s: s.batches.progress("batch-3"),
    "ix_findings_guideline": lambda s: scalar(s, select(func.count()).where(findings.c.guideline_id == "guideline-3")),
    "ix_outbox_due": lambda s: SqlOutbox(s.database).is_due(START + timedelta(days=7)),
    "ix_feedback_finding": lambda s: s.feedback.standing("user-7", "id:document-7"),
    "ix_feedback_job": lambda s: scalar(s, select(feedback.c.fingerprint).where(feedback.c.job_id == "0" * 31 + "7")),
    "ix_feedback_at": lambda s: scalar(s, select(func.count()).where(feedback.c.at > START + timedelta(days=7))),
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
