"""One job that a queue hands out: its failure is logged and stops no other job."""

import logging
from collections.abc import Awaitable, Callable

from agent.errors import CopydeskError

Handle = Callable[[str, int], Awaitable[None]]

logger = logging.getLogger(__name__)


async def handled(handle: Handle, job_id: str, attempt: int) -> bool:
    """False where it failed: the job, unless its end is stored, is handed out again once its lease has run out."""
    try:
        await handle(job_id, attempt)
    except CopydeskError as error:
        logger.warning("attempt %d at job %s broke off: %s", attempt, job_id, error)
        return False
    except Exception:
        logger.exception("attempt %d at job %s went wrong", attempt, job_id)
        return False
    return True
