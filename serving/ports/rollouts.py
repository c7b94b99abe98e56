"""Challengers on live articles."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from serving.access.audit import Actor
from serving.job import Job
from serving.rollout import Evidence as RolloutEvidence
from serving.rollout import Rollout
from serving.shadow import Bill, Compared, Pair, Shadow, Spent


class Rollouts(Protocol):
    """Challengers beside the champion, one at a time."""

    async def now(self) -> datetime:
        """By the store's clock: stages are dated by it, whoever begins them, because jobs are held against them."""

    async def active(self) -> Rollout | None:
        """The one that moves articles."""

    async def latest(self, limit: int) -> list[Rollout]:
        """The latest first."""

    async def start(self, rollout: Rollout) -> None:
        """Raises RolloutRunning."""

    async def change(self, rollout: Rollout, *, by: Actor, now: datetime) -> bool:
        """Stores a rollout as it is now, with an audit entry; False where somebody else changed it before."""

    async def challenger_jobs(self, rollout: Rollout) -> int:
        """How many of this stage have ended."""

    async def evidence(self, rollout: Rollout) -> RolloutEvidence:
        """The ended jobs of this stage, without those of batches."""


class Shadows(Protocol):
    """Challengers unseen by editors, one at a time."""

    async def active(self) -> Shadow | None: ...

    async def latest(self) -> Shadow | None: ...

    async def start(self, shadow: Shadow) -> None:
        """Raises ShadowRunning."""

    async def stop(self, shadow: Shadow, reason: str, now: datetime, *, by: Actor) -> None: ...

    async def offer(self, shadow: Shadow, unit: str, job: Job, now: datetime) -> bool:
        """Has an article checked later; False for one of a document that was offered before, or one too many."""

    async def claim(self, shadow: Shadow, now: datetime) -> Job | None:
        """Begins an attempt at the article that has waited longest."""

    async def hand_back(self, shadow: Shadow, job: Job) -> None:
        """The attempt was none: it doesn't count."""

    async def editors_wait(self) -> bool:
        """Whether a job that an editor waits for is queued, or runs on some worker."""

    async def pay(self, shadow: Shadow, job: Job, bill: Bill) -> None:
        """Books what an attempt has cost, whatever came of it."""

    async def compared(self, shadow: Shadow, job: Job, found: Sequence[Compared], now: datetime) -> None: ...

    async def left_out(self, shadow: Shadow, job: Job, reason: str, now: datetime) -> None: ...

    async def spent(self, shadow: Shadow, since: datetime) -> Spent: ...

    async def pairs(self, shadow: Shadow) -> list[Pair]:
        """In the order they were compared."""

    async def counts(self, shadow: Shadow) -> dict[str, int]:
        """Articles by what became of them: waiting, compared, or why they were left out."""
