"""Tells MLflow of decisions, off the request path: an outage delays them and loses none."""

import logging

from agent.errors import CopydeskError
from serving.ports.clocks import Clock
from serving.ports.log import FeedbackLog, FeedbackOutbox
from serving.telling import PutOff, Telling
from serving.usecases.log_runs import HOLD, delay, unforeseen

LATER = "decisions about job %s are not told to MLflow yet, next try in %g s: %s"

logger = logging.getLogger(__name__)


async def tell_next(outbox: FeedbackOutbox, log: FeedbackLog, *, clock: Clock) -> Telling | None:
    """Tells of the job that is due; None when there is none."""
    news = await outbox.claim(clock(), HOLD)
    if news is None:
        return None
    pause = delay(news.attempt)
    try:
        await log.tell(news)
    except CopydeskError as error:
        logger.warning(LATER, news.job.id, pause.total_seconds(), error)
        await outbox.postponed(news, clock() + pause, str(error))
        return Telling(news.job.id, PutOff(str(error), error.outage))
    except Exception as error:
        # One that MLflow's client can't digest must not hold up the others.
        reason = unforeseen(error)
        logger.exception(LATER, news.job.id, pause.total_seconds(), reason)
        await outbox.postponed(news, clock() + pause, reason)
        return Telling(news.job.id, PutOff(reason))
    if not await outbox.told(news):
        # Somebody may have told later news meanwhile, and this was written over it.
        await outbox.again(news, clock())
    return Telling(news.job.id)
