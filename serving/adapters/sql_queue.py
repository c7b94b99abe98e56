"""The table of jobs as the queue itself, for one machine: workers look into it."""

import asyncio
import contextlib
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from serving.adapters.database import Database
from serving.adapters.handled import Handle, handled
from serving.adapters.sql_jobs import QUEUED
from serving.adapters.tables import jobs
from serving.ports.clocks import Clock

IDLE_SECONDS = 0.05  # between looks for a job: an idle worker costs about 4 % of a core on SQLite
REST_SECONDS = 1.0  # before a job that was handled in vain is handed out again


class SqlQueue:
    """The next jobs by priority, turn and time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def serve(self, handle: Handle, *, code_digest: str, at_once: int, stopping: asyncio.Event) -> None:
        running: set[asyncio.Task[None]] = set()
        passed_over: set[str] = set()  # in hand, or handled in vain a moment ago
        later = asyncio.get_running_loop().call_later

        async def work(job_id: str, attempt: int) -> None:
            rest = 0.0 if await handled(handle, job_id, attempt) else REST_SECONDS
            later(rest, passed_over.discard, job_id)

        try:
            while not stopping.is_set():
                for job_id, attempt in await self._next(code_digest, at_once - len(running), passed_over):
                    passed_over.add(job_id)
                    task = asyncio.create_task(work(job_id, attempt))
                    running.add(task)
                    task.add_done_callback(running.discard)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), IDLE_SECONDS)
        finally:
            if running:
                await asyncio.wait(running)

    async def _next(self, code_digest: str, count: int, passed_over: Collection[str]) -> list[tuple[str, int]]:
        if count <= 0:
            return []
        due = or_(jobs.c.due_at.is_(None), jobs.c.due_at <= self._clock())
        query = (
            select(jobs.c.id, jobs.c.attempt)
            .where(QUEUED, jobs.c.code_digest == code_digest, due, jobs.c.id.not_in(passed_over))
            .order_by(jobs.c.priority, jobs.c.turn, jobs.c.submitted_at, jobs.c.id)
            .limit(count)
        )
        return [(row["id"], row["attempt"] + 1) for row in await self._database.fetch(query)]

    async def tidy(self, now: datetime, lease: timedelta) -> int:
        """Nothing is handed out but by the row, which the sweep of leases takes back."""
        return 0
