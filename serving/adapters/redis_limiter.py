"""The limits of one model endpoint, held by all workers together through one Redis.

Redis decides by its own clock, in one script, so two workers never take the same place. Times are in milliseconds.
"""

import asyncio
import math
import random
import secrets
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from agent.limiter import WINDOW_SECONDS, Limits, Permit, ProcessLimiter
from serving.adapters.redis_connection import Outage

SLEEP_SECONDS = 1.0  # at most, before Redis is asked again
POLL_MILLISECONDS = 50  # while all places are taken: a place given back by another process isn't announced
NEVER_MADE = -1  # as tokens: the call doesn't count at all

T = TypeVar("T")

# KEYS, of all scripts: 1 calls in flight (sorted set: id, end of hold), 2 the window (sorted set: id, start),
# 3 tokens of each entry of the window (hash), 4 their sum, 5 the end of a pause.
NAMES = ("in-flight", "window", "tokens", "sum", "paused")

# ARGV: 1 id, 2 tokens, 3 hold, 4 places, 5 requests (-1: no limit), 6 tokens a window (-1), 7 window, 8 poll.
# Returns 0 when the place is taken, else how long to wait. An id that has its place already gets 0 again.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local asked, hold, window = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[7])
local requests, budget = tonumber(ARGV[5]), tonumber(ARGV[6])
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end

local wait = tonumber(redis.call('GET', KEYS[5]) or 0) - now

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then wait = math.max(wait, tonumber(ARGV[8])) end

local gone = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - window)) do
  gone = gone + tonumber(redis.call('HGET', KEYS[3], id) or 0)
  redis.call('HDEL', KEYS[3], id)
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - window)
local count = redis.call('ZCARD', KEYS[2])
if count == 0 then
  redis.call('DEL', KEYS[3], KEYS[4])
else
  local used = redis.call('DECRBY', KEYS[4], gone)
  local leaves = false  -- the rank of an entry that must leave first
  if budget >= 0 and used + asked > budget then leaves = 0 end
  if requests >= 0 and count >= requests then leaves = count - requests end
  if leaves then
    wait = math.max(wait, redis.call('ZRANGE', KEYS[2], leaves, leaves, 'WITHSCORES')[2] + window - now)
  end
end
if wait > 0 then return math.ceil(wait) end

redis.call('ZADD', KEYS[1], now + hold, ARGV[1])
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], asked)
redis.call('INCRBY', KEYS[4], asked)
redis.call('PEXPIRE', KEYS[1], math.max(hold, redis.call('PTTL', KEYS[1])))
for key = 2, 4 do redis.call('PEXPIRE', KEYS[key], window + 1000) end
return 0
"""

# ARGV: 1 id, 2 tokens really used, or NEVER_MADE.
GIVE_BACK = """
redis.call('ZREM', KEYS[1], ARGV[1])
local booked = redis.call('HGET', KEYS[3], ARGV[1])
if not booked then return end
local used = tonumber(ARGV[2])
if used < 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[3], ARGV[1])
  used = 0
else
  redis.call('HSET', KEYS[3], ARGV[1], used)
end
redis.call('INCRBY', KEYS[4], used - booked)
"""

# ARGV: 1 length of the pause.
PAUSE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now + ARGV[1] > tonumber(redis.call('GET', KEYS[5]) or 0) then
  redis.call('SET', KEYS[5], string.format('%.0f', now + ARGV[1]), 'PX', ARGV[1])
end
"""


class RedisLimiter:
    """A place whose holder died comes back `hold_seconds` after it was taken, so no call may take longer.

    While Redis is down, each process keeps the same limits by itself: calls go on, and N processes may together press
    the endpoint N times as hard. That is logged once. Within a process, whoever comes first is served first.
    """

    def __init__(
        self, client: Redis, name: str, limits: Limits, *, hold_seconds: float, window_seconds: float = WINDOW_SECONDS
    ) -> None:
        self._keys = [f"limiter:{{{name}}}:{part}" for part in NAMES]  # one hash slot
        self._take, self._give_back, self._pause = map(client.register_script, (TAKE, GIVE_BACK, PAUSE))
        shares = [-1 if limit is None else limit for limit in (limits.requests_per_minute, limits.tokens_per_minute)]
        self._limits = [round(hold_seconds * 1000), limits.in_flight, *shares, round(window_seconds * 1000)]
        self._alone = ProcessLimiter(limits)
        self._outage = Outage("each process keeps the limits of the model endpoint by itself")
        self._turn = asyncio.Lock()
        self._place_came_back = asyncio.Event()
        self._owed: dict[str, int] = {}  # tokens by id, of places that couldn't be given back yet
        self._ending: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def permit(self, tokens: int) -> AsyncIterator[Permit]:
        id = secrets.token_hex(8)
        if not await self._taken(id, tokens):
            async with self._alone.permit(tokens) as permit:
                yield permit
            return
        permit = Permit(tokens)
        try:
            yield permit
        finally:
            await asyncio.shield(self._begin(self._return(id, permit)))

    async def pause(self, seconds: float) -> None:
        await self._alone.pause(seconds)  # so it holds also when Redis goes down meanwhile
        if seconds > 0 and self._outage.may_ask():
            await self._run(self._pause, math.ceil(seconds * 1000))

    async def close(self) -> None:
        """Waits until the places of cancelled calls are given back; the client stays open."""
        while self._ending:
            await asyncio.wait(self._ending)

    async def _taken(self, id: str, tokens: int) -> bool:
        """Waits for a place; False when Redis is down."""
        async with self._turn:
            while self._outage.may_ask():
                self._place_came_back.clear()
                wait = await self._ask(id, tokens)
                if not wait:
                    return wait == 0
                # Jitter, so that processes waiting for the same moment don't ask all at once.
                seconds = min(wait / 1000 * random.uniform(1, 1.2), SLEEP_SECONDS)  # noqa: S311
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._place_came_back.wait()
        return False

    async def _ask(self, id: str, tokens: int) -> int | None:
        """Milliseconds to wait; 0: the place is taken; None: Redis is down."""
        asked = self._begin(self._run(self._take, id, tokens, *self._limits, POLL_MILLISECONDS))
        try:
            wait = await asyncio.shield(asked)
        except asyncio.CancelledError:
            self._begin(self._withdraw(asked, id))
            raise
        if wait is None:
            self._owed[id] = NEVER_MADE  # Redis may have taken it before it went
        return wait

    async def _withdraw(self, asked: "asyncio.Task[int | None]", id: str) -> None:
        """Gives back what Redis was asked for by somebody who no longer waits for the answer."""
        taken = await asked
        if taken == 0:
            await self._return(id, Permit(NEVER_MADE))
        elif taken is None:
            self._owed[id] = NEVER_MADE

    async def _return(self, id: str, permit: Permit) -> None:
        if not self._outage.may_ask() or await self._run(self._give_back, id, permit.tokens) is None:
            self._owed[id] = permit.tokens
        self._place_came_back.set()

    async def _run(self, script: AsyncScript, *arguments: str | int) -> int | None:
        """What the script returns, 0 for nothing; None: Redis is down."""
        try:
            answer = await script(self._keys, arguments)
        except RedisError as error:
            self._outage.failed(error)
            return None
        self._outage.answered()
        while self._owed:  # else places given back during an outage would be missing for `hold_seconds`
            id, tokens = self._owed.popitem()
            self._begin(self._return(id, Permit(tokens)))
        return int(answer or 0)

    def _begin(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """A task that goes on when its caller is cancelled."""
        task = asyncio.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task
