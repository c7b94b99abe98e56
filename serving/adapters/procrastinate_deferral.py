"""Puts jobs into procrastinate's queue by its own SQL function: who only submits needn't load its client."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, text

from serving.job import Job

TASK = "check"
TURNS = 1_000_000  # of one priority; procrastinate has one number for both, the highest first

_DEFER = text("""
SELECT procrastinate_defer_jobs_v1(ARRAY(
  SELECT ROW(queue, task, priority, NULL, NULL, args, due)::procrastinate_job_to_defer_v1
  FROM jsonb_to_recordset(CAST(:jobs AS jsonb))
    AS job(queue text, task text, priority int, args jsonb, due timestamptz)
))
""")


def defer(connection: Connection, jobs: Sequence[Job]) -> None:
    """In the transaction that makes the jobs wait for their next attempt."""
    connection.execute(_DEFER, {"jobs": json.dumps([_deferred(job) for job in jobs])})


def _deferred(job: Job) -> dict[str, object]:
    return {
        "queue": queue_name(job.code_digest),
        "task": TASK,
        "priority": -(job.priority.value * TURNS + min(job.turn, TURNS - 1)),
        "args": {"job_id": job.id, "attempt": job.attempt + 1},
        "due": job.due.isoformat() if job.due else None,
    }


def queue_name(code_digest: str) -> str:
    """A notification's channel is named after its queue and holds 63 characters."""
    return f"check-{code_digest[:24]}"
