"""Under which names what is kept for a short time is found, and for how long. Times are in seconds."""

from serving.job import ENDED, JobStatus

ENDED_STATUS_SECONDS = 300.0
LIVE_STATUS_SECONDS = 10.0  # a job goes on: a change that didn't reach the cache is seen after so long
RESULT_SECONDS = 900.0
ARTICLE_SECONDS = 3600.0
RATE_WINDOW_SECONDS = 60.0


def status_key(job_id: str) -> str:
    return f"job:status:{job_id}"


def status_seconds(status: JobStatus) -> float:
    """A job that has ended doesn't change any more."""
    return ENDED_STATUS_SECONDS if status in ENDED else LIVE_STATUS_SECONDS


def result_key(job_id: str) -> str:
    return f"job:result:{job_id}"


def rate_limit_key(user_id: str) -> str:
    return f"user:ratelimit:{user_id}"


def article_key(content_hash: str) -> str:
    return f"article:hash:{content_hash}"


def revoked_key(session_id: str) -> str:
    """Kept as long as the session would have lasted."""
    return f"session:revoked:{session_id}"
