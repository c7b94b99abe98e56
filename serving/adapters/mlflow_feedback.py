"""Decisions in MLflow. Imported by workers only."""

import asyncio

from registry.connection import Registry
from registry.feedback import DecidedFinding, JobFeedback, tell_feedback
from serving.feedback import Action, Entry
from serving.ports.log import FeedbackNews


class MlflowFeedback:
    """MLflow's calls block, so they run in a thread."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def tell(self, news: FeedbackNews) -> None:
        await asyncio.to_thread(tell_feedback, self._registry, _feedback(news))


def _feedback(news: FeedbackNews) -> JobFeedback:
    job = news.job
    if job.finished is None:
        raise ValueError(f"job {job.id} has not ended, so nothing can have been decided about it")
    return JobFeedback(
        job_id=job.id,
        run_id=news.run_id,
        started=job.started or job.submitted,
        finished=job.finished,
        findings=tuple(_finding(entry) for entry in news.entries),
        guidelines=news.guidelines,
        latest=news.latest,
    )


def _finding(entry: Entry) -> DecidedFinding:
    decision = entry.decision
    return DecidedFinding(
        fingerprint=decision.finding,
        guideline=entry.guideline,
        accepted=decision.action is Action.ACCEPT,
        state=entry.state.value,
        reason=decision.reason.value if decision.reason else "",
        entry=entry.id,
    )
