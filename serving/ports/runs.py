"""What was checked, for who compares and who asks why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from agent.report import ComplianceReport
from serving.day import Ending
from serving.job import Job
from serving.runs import CheckedDocument, Raised, Scope, Side


class Runs(Protocol):
    """What was checked, for who compares."""

    async def documents(self, side: Side, scope: Scope, limit: int) -> list[CheckedDocument]:
        """Each document's latest complete report of a side, the latest first."""

    async def raised(self, job_ids: Sequence[str]) -> list[Raised]:
        """The findings of these jobs."""

    async def reports(self, job_ids: Sequence[str]) -> dict[str, ComplianceReport]: ...

    async def versions(self, since: datetime) -> dict[str, int]:
        """How many complete reports each version made since."""

    async def channels(self, since: datetime) -> list[str]: ...

    async def ended(self, since: datetime) -> list[Ending]:
        """Of the jobs submitted since, those that have ended."""


class Trail(Protocol):
    """How findings, jobs and what was logged hang together."""

    async def before(self, job: Job) -> Job | None:
        """The user's latest completed check of the same document before this one."""

    async def jobs_with(self, fingerprint: str) -> list[Job]:
        """Whose reports raise a finding, the latest first."""

    async def run_of(self, job_id: str) -> str:
        """The job's run in MLflow; empty while it isn't logged."""
