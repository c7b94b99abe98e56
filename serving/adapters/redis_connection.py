"""The connection to Redis, which the workers of several machines share, and what is known of its outages."""

import logging
import time
from typing import TYPE_CHECKING

from agent.errors import CopydeskError

if TYPE_CHECKING:
    from redis.asyncio import Redis

SOCKET_SECONDS = 2.0
MOST_CONNECTIONS = 16  # of one worker; a call beyond waits for one
TELL_AGAIN_SECONDS = 60.0  # a full Redis refuses each write: that is no line in the log for each
ASK_AGAIN_SECONDS = 1.0  # while Redis is down, it is asked no more often: each answer may take SOCKET_SECONDS

logger = logging.getLogger(__name__)


class RedisUnusable(CopydeskError):
    """Redis can't be used as it is named, or its package is missing."""

    type = "redis-unusable"


class RedisSilent(CopydeskError):
    """Redis doesn't answer at present."""

    type = "redis-silent"
    status = 503
    retry_after = 5


class Outage:
    """Whether Redis answers, said once when it stops and once when it is back."""

    def __init__(self, meanwhile: str) -> None:
        self._meanwhile = meanwhile  # what is done without Redis, for the log
        self._down = False
        self._ask_again = 0.0

    @property
    def down(self) -> bool:
        return self._down

    def may_ask(self) -> bool:
        """Whether Redis should be asked. While it is down, one caller at a time tries it and all others go on."""
        if not self._down:
            return True
        now = time.monotonic()
        if now < self._ask_again:
            return False
        self._ask_again = now + SOCKET_SECONDS + ASK_AGAIN_SECONDS
        return True

    def failed(self, error: Exception) -> None:
        self._ask_again = time.monotonic() + ASK_AGAIN_SECONDS
        if not self._down:
            self._down = True
            logger.warning("Redis can't be used (%s): %s until it is back", error, self._meanwhile)

    def answered(self) -> None:
        if self._down:
            self._down = False
            logger.info("Redis is back: it is no longer so that %s", self._meanwhile)


class Refusals:
    """Commands that Redis refused though it answers, such as writes while it is full; said once in a minute."""

    def __init__(self) -> None:
        self._untold = 0
        self._tell_again = 0.0

    def refused(self, error: Exception) -> None:
        self._untold += 1
        if time.monotonic() >= self._tell_again:
            logger.warning("Redis refused %d commands, the last one so: %s", self._untold, error)
            self._untold, self._tell_again = 0, time.monotonic() + TELL_AGAIN_SECONDS


def open_redis(url: str, *, socket_seconds: float | None = SOCKET_SECONDS) -> "Redis":
    """A client that connects when it is first used; raises RedisUnusable for a bad address.

    Without `socket_seconds` no timer is set for a connection or an answer: whoever uses it bounds what it asks for.
    Everything sent through it may be sent twice: a connection that was cut while idle is opened again.
    """
    try:
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as Disconnected
    except ImportError as error:
        raise RedisUnusable(
            "REDIS_CONNECTION_STRING is set and the package redis is missing: "
            "pip install copydesk[azure], or unset it to run on one machine"
        ) from error
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MOST_CONNECTIONS,
            timeout=SOCKET_SECONDS,
            socket_timeout=socket_seconds,
            socket_connect_timeout=socket_seconds,
            retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),
        )
        pool.make_connection()  # type: ignore[no-untyped-call] # connects to nothing, but finds wrong options
    except (ValueError, TypeError):
        # Its own text may quote a part of the password.
        raise RedisUnusable(
            "REDIS_CONNECTION_STRING is not a Redis address: write rediss://:PASSWORD@HOST:PORT, "
            "or redis:// without TLS, with special characters of the password percent-encoded"
        ) from None
    return Redis.from_pool(pool)
