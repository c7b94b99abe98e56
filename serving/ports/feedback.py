"""What editors say of findings, and what becomes of it."""

from datetime import datetime
from typing import Protocol

from serving.access.audit import Actor
from serving.feedback import ApprovalStatus, Entry, Saying
from serving.figures import Count


class Feedback(Protocol):
    """What editors say of findings; the latest stands."""

    async def findings(self, job_id: str) -> dict[str, str]:
        """Fingerprint and guideline of what a job's report raises."""

    async def standing(self, user: str, document: str) -> dict[str, Entry]:
        """The latest entry of each finding in a user's document, by fingerprint; that may be an undo."""

    async def history(self, user: str, document: str, finding: str) -> list[Entry]:
        """All that was said of a finding, in its order."""

    async def decide(self, saying: Saying) -> list[Entry]:
        """Stores what is new of it and returns that. From then on results say so, and MLflow is to be told."""


class Approvals(Protocol):
    """Dismissals that count only with a guideline owner's approval."""

    async def pending(self, after: int, limit: int) -> list[Entry]:
        """Those nobody has judged yet, the oldest first, from the one after an id on."""

    async def judge(self, id: int, status: ApprovalStatus, *, by: Actor, comment: str, now: datetime) -> Entry | None:
        """The dismissal as it stands by then, noted in the audit; None where none such stands.

        The same again changes nothing.
        """


class Figures(Protocol):
    """What became of findings."""

    async def counts(self, since: datetime, version: str) -> list[Count]:
        """Of articles that were submitted since and of what was decided since; of one version, or all where empty."""
