"""Tells MLflow of decisions, off the request path: an outage delays them and loses none."""

import logging

from agent.errors import CopydeskError
from serving.ports.clocks import Clock
from serving.ports.log import FeedbackLog, FeedbackNews, FeedbackOutbox
from serving.usecases.log_runs import HOLD, delay

logger = logging.getLogger(__name__)


async def tell_next(outbox: FeedbackOutbox, log: FeedbackLog, *, clock: Clock) -> bool:
    """Tells of the job that is due; False when there is none."""
    news = await outbox.claim(clock(), HOLD)
    if news is None:
        return False
    try:
        await log.tell(news)
    except CopydeskError as error:
        await _postpone(outbox, news, clock, str(error))
    except Exception as error:
        # One that MLflow's client can't digest must not hold up the others.
        logger.exception("the decisions about job %s can't be told to MLflow", news.job.id)
        await _postpone(outbox, news, clock, f"an unexpected {type(error).__name__}")
    else:
        if not await outbox.told(news):
            # Somebody may have told later news meanwhile, and this was written over it.
            await outbox.again(news, clock())
    return True


async def _postpone(outbox: FeedbackOutbox, news: FeedbackNews, clock: Clock, reason: str) -> None:
    until = clock() + delay(news.attempt)
    logger.warning("decisions about job %s are told to MLflow at %s: %s", news.job.id, f"{until:%H:%M:%S}", reason)
    await outbox.postponed(news, until, reason)
