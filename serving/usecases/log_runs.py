"""Tells MLflow of finished jobs, off the request path: an outage delays runs and loses none."""

import logging
from datetime import timedelta

from agent.errors import CopydeskError
from serving.ports.clocks import Clock
from serving.ports.log import Outbox, RunLog
from serving.telling import PutOff, Telling

logger = logging.getLogger(__name__)

FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=5)
OVERTAKEN = "this attempt took too long, and another worker has it"
LATER = "job %s is not logged to MLflow yet, next try in %g s: %s"
HOLD = timedelta(minutes=3)  # logging a run takes about 10 requests of at most 10 s each


async def log_next(outbox: Outbox, runs: RunLog, *, clock: Clock, hold: timedelta = HOLD) -> Telling | None:
    """Logs the entry that is due; None when there is none. Nobody else takes it until `hold` is over."""
    entry = await outbox.claim(clock(), hold)
    if entry is None:
        return None
    pause = delay(entry.attempt)
    try:
        run_id = entry.run_id or await runs.begin(entry)
        if not await outbox.began(entry, run_id):
            return Telling(entry.job.id, PutOff(OVERTAKEN))
        await runs.complete(entry, run_id)
    except CopydeskError as error:
        logger.warning(LATER, entry.job.id, pause.total_seconds(), error)
        await outbox.postponed(entry, clock() + pause, str(error))
        return Telling(entry.job.id, PutOff(str(error), error.outage))
    except Exception as error:
        # One report that MLflow's client can't digest must not hold up the others.
        reason = unforeseen(error)
        logger.exception(LATER, entry.job.id, pause.total_seconds(), reason)
        await outbox.postponed(entry, clock() + pause, reason)
        return Telling(entry.job.id, PutOff(reason))
    await outbox.logged(entry, run_id)
    return Telling(entry.job.id)


def unforeseen(error: Exception) -> str:
    """The reason that is stored: without its own text, which may quote an article."""
    return f"an unexpected {type(error).__name__}"


def delay(attempt: int) -> timedelta:
    """After attempt 1, 2, 3 ...: 2, 4, 8 ... seconds, at most LONGEST_DELAY."""
    return min(FIRST_DELAY * (1 << min(attempt - 1, 10)), LONGEST_DELAY)
