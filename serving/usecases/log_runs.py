"""Tells MLflow of finished jobs, off the request path: an outage delays runs and loses none."""

import logging
from datetime import timedelta

from agent.errors import CopydeskError
from serving.ports import Clock, Outbox, RunLog

logger = logging.getLogger(__name__)

FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=5)


async def log_next(outbox: Outbox, runs: RunLog, *, clock: Clock) -> bool:
    """Logs the entry that is due; False when there is none."""
    entry = await outbox.due(clock())
    if entry is None:
        return False
    try:
        run_id = await runs.log(entry.job, entry.report)
    except CopydeskError as error:
        until = clock() + min(FIRST_DELAY * 2 ** min(entry.attempts, 10), LONGEST_DELAY)
        logger.warning(
            "job %s is not logged to MLflow yet, next try at %s: %s", entry.job.id, f"{until:%H:%M:%S}", error
        )
        await outbox.postponed(entry.job.id, until, str(error))
        return True
    await outbox.logged(entry.job.id, run_id)
    return True
