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
from serving.usecases.log_runs import unforeseen

logger = logging.getLogger(__name__)

HOLD = timedelta(minutes=1)  # a call takes at most 10 s
AT_ONCE = 8  # so that a slow receiver doesn't hold up the others
OK, GONE = range(200, 300), 410
UNANSWERED = "callback %s is not answered, %s"

Body = Callable[[Callback], bytes]


async def call_due(callbacks: Callbacks, caller: Caller, body: Body, *, keys: Sequence[bytes], clock: Clock) -> int:
    """Makes the calls that are due, so many at once; how many they were."""
    claimed: list[Callback] = []
    while len(claimed) < AT_ONCE and (callback := await callbacks.claim(clock(), HOLD)):
        claimed.append(callback)
    await asyncio.gather(*(_call(callbacks, caller, each, body, keys, clock) for each in claimed))
    return len(claimed)


async def _call(
    callbacks: Callbacks, caller: Caller, callback: Callback, body: Body, keys: Sequence[bytes], clock: Clock
) -> None:
    if not keys:
        await _postpone(callbacks, callback, clock, "this worker has no COPYDESK_WEBHOOK_SECRET to sign with")
        return
    try:
        told = body(callback)
        status = await caller.post(callback.url, signed(keys, callback.message, clock(), told), told)
    except CopydeskError as error:
        await _postpone(callbacks, callback, clock, str(error))
        return
    except Exception as error:
        # One address that the client library can't digest must not hold up the others.
        put_off = _put_off(callback, clock(), unforeseen(error))
        logger.exception(UNANSWERED, callback.message, put_off)
        await callbacks.postponed(callback, put_off.until, put_off.reason)
        return
    if status in OK:
        await callbacks.answered(callback)
    elif status == GONE:
        await callbacks.postponed(callback, None, f"given up: the receiver answered {GONE} (gone)")
    else:
        await _postpone(callbacks, callback, clock, f"the receiver answered {status}")


async def _postpone(callbacks: Callbacks, callback: Callback, clock: Clock, reason: str) -> None:
    put_off = _put_off(callback, clock(), reason)
    logger.warning(UNANSWERED, callback.message, put_off)
    await callbacks.postponed(callback, put_off.until, put_off.reason)


@dataclass(frozen=True, slots=True)
class _PutOff:
    until: datetime | None  # None: for good
    reason: str

    def __str__(self) -> str:
        when = "it is given up" if self.until is None else f"next try at {self.until:%H:%M:%S}"
        return f"{when}: {self.reason}"


def _put_off(callback: Callback, now: datetime, reason: str) -> _PutOff:
    pause = pause_after(callback.attempt)
    if pause is None:
        return _PutOff(None, f"given up after {callback.attempt} attempts: {reason}")
    return _PutOff(now + pause, reason)
