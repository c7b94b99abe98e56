"""A call to a client's own address when what it sent has ended: signed, and repeated until it is answered. Pure.

The signature is that of Standard Webhooks (https://www.standardwebhooks.com), so its libraries verify it.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.finding import Severity
from serving.batch import Batch, Progress
from serving.job import Job

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of one
LEAST_SECRET, MOST_SECRET = 24, 64  # bytes
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=6)
MOST_ATTEMPTS = 12  # over about 23 hours
GROWTH = 3


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job as its client is told of it: what was found, without any of the article's text."""

    job: Job
    score: float | None  # where it was checked
    findings: Mapping[Severity, int]


@dataclass(frozen=True, slots=True)
class EndedBatch:
    """A batch of which all jobs have ended."""

    batch: Batch
    progress: Progress


@dataclass(frozen=True, slots=True)
class Callback:
    """A call that is to be made. `attempt` fences: only who holds the current one may write."""

    message: str  # the same in each attempt, so that the receiver can drop repeats
    url: str
    ended: EndedJob | EndedBatch
    attempt: int  # from 1


@dataclass(frozen=True, slots=True)
class CallbackStanding:
    """How far a call is."""

    job: str  # empty: of a batch
    batch: str
    url: str
    attempts: int
    due: datetime | None  # null: it was answered or given up
    reason: str  # of the last failure; empty: none, or it was answered


def secret_key(text: str) -> bytes:
    """The key in `whsec_BASE64`; raises ValueError."""
    if not text.startswith(SECRET_PREFIX):
        raise ValueError(f"it doesn't begin with {SECRET_PREFIX}")
    key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    if not LEAST_SECRET <= len(key) <= MOST_SECRET:
        raise ValueError(f"it holds {len(key)} bytes")
    return key


def signed(keys: Sequence[bytes], message: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a call; one signature a key, so that a receiver may take its time with a new one."""
    timestamp = str(int(at.timestamp()))
    content = f"{message}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys]
    return {
        "webhook-id": message,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def pause_after(attempt: int) -> timedelta | None:
    """After attempt 1, 2, 3 ...: 5, 15, 45 ... seconds, at most LONGEST_PAUSE; None: it is given up."""
    return None if attempt >= MOST_ATTEMPTS else min(FIRST_PAUSE * GROWTH ** (attempt - 1), LONGEST_PAUSE)
