"""Calls clients whose jobs have ended, off the request path: a receiver that is down is called again."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.errors import CopydeskError
from serving.callback import Callback, pause_after, signed
from serving.ports.callbacks import Callbacks, Caller
from serving.ports.clocks import Clock
from serving.telling import PutOff, Telling
from serving.usecases.log_runs import unforeseen

logger = logging.getLogger(__name__)

HOLD = timedelta(minutes=1)  # a call takes at most 10 s
AT_ONCE = 8  # so that a slow receiver doesn't hold up the others
OK, GONE = range(200, 300), 410
UNANSWERED = "callback %s is not answered, %s"

Body = Callable[[Callback], bytes]


async def call_due(
    callbacks: Callbacks, caller: Caller, body: Body, *, keys: Sequence[bytes], clock: Clock
) -> list[Telling]:
    """Makes the calls that are due, so many at once."""
    claimed: list[Callback] = []
    while len(claimed) < AT_ONCE and (callback := await callbacks.claim(clock(), HOLD)):
        claimed.append(callback)
    return await asyncio.gather(*(_call(callbacks, caller, each, body, keys, clock) for each in claimed))


async def _call(
    callbacks: Callbacks, caller: Caller, callback: Callback, body: Body, keys: Sequence[bytes], clock: Clock
) -> Telling:
    if not keys:
        no_key = "this worker has no COPYDESK_WEBHOOK_SECRET to sign with"
        return await _postpone(callbacks, callback, clock, no_key, blocked=True)
    try:
        told = body(callback)
        status = await caller.post(callback.url, signed(keys, callback.message, clock(), told), told)
    except CopydeskError as error:
        return await _postpone(callbacks, callback, clock, str(error), blocked=error.outage)
    except Exception as error:
        # One address that the client library can't digest must not hold up the others.
        later = _later(callback, clock(), unforeseen(error))
        logger.exception(UNANSWERED, callback.message, later)
        await callbacks.postponed(callback, later.until, later.reason)
        return Telling(callback.message, PutOff(later.reason))
    if status in OK:
        await callbacks.answered(callback)
        return Telling(callback.message)
    if status == GONE:
        gone = f"given up: the receiver answered {GONE} (gone)"
        await callbacks.postponed(callback, None, gone)
        return Telling(callback.message, PutOff(gone))
    return await _postpone(callbacks, callback, clock, f"the receiver answered {status}")


async def _postpone(
    callbacks: Callbacks, callback: Callback, clock: Clock, reason: str, *, blocked: bool = False
) -> Telling:
    later = _later(callback, clock(), reason)
    logger.warning(UNANSWERED, callback.message, later)
    await callbacks.postponed(callback, later.until, later.reason)
    return Telling(callback.message, PutOff(later.reason, blocked))


@dataclass(frozen=True, slots=True)
class _Later:
    until: datetime | None  # None: for good
    reason: str

    def __str__(self) -> str:
        when = "it is given up" if self.until is None else f"next try at {self.until:%H:%M:%S}"
        return f"{when}: {self.reason}"


def _later(callback: Callback, now: datetime, reason: str) -> _Later:
    pause = pause_after(callback.attempt)
    if pause is None:
        return _Later(None, f"given up after {callback.attempt} attempts: {reason}")
    return _Later(now + pause, reason)
