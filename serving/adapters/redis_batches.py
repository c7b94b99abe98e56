"""Commands on their way to Redis, sent together with all others that came up meanwhile.

Whoever asks for several things at once (`asyncio.gather`) pays one round trip, and a thousand requests at a time
need one connection, so none waits in vain for one of a thousand. Values that several ask for at the same time are
one MGET, which costs a process less to write and to read than a command for each.
"""

import asyncio
import logging
from itertools import islice
from typing import TYPE_CHECKING

from serving.adapters.redis_connection import SOCKET_SECONDS, Outage, RedisSilent, Refusals
from serving.patience import Patience

if TYPE_CHECKING:
    from redis.asyncio import Redis

GET = b"MGET"
MOST_COMMANDS = 64  # in one batch: its values are in memory all at once

logger = logging.getLogger(__name__)

Command = tuple[bytes | int, ...]


class RedisBatches:
    """Shared by all adapters of a process, so that an outage is met and logged once.

    While Redis is down every question is answered with None at once; it is tried again beside them.
    """

    def __init__(self, client: "Redis", *, meanwhile: str, seconds: float = SOCKET_SECONDS) -> None:
        self._client = client
        self._seconds = seconds
        self._meanwhile = meanwhile
        self._outage = Outage(meanwhile)
        self._refusals = Refusals()
        self._waiting: list[tuple[Command, asyncio.Future[object]]] = []
        self._sending: asyncio.Task[None] | None = None

    @property
    def down(self) -> bool:
        return self._outage.down

    async def ask(self, *command: str | bytes | int) -> object:
        """What Redis answers, as it is; None also when it can't be asked, or refuses. A command may be sent twice.

        An MGET is sent together with others; also a sharded Redis takes its names from several shards.
        """
        if not self._outage.down:
            # Encoded here, so that a text that can't be is its own caller's failure and not the batch's.
            return await self._sent(tuple(part.encode() if isinstance(part, str) else part for part in command))
        if self._outage.may_ask():
            self._sent((b"PING",))
        return None

    async def answers(self) -> None:
        """Raises RedisSilent when it doesn't."""
        if await self.ask("PING") is None:
            raise RedisSilent(f"Redis doesn't answer, so {self._meanwhile}")

    async def close(self) -> None:
        """Waits for what is on its way; the client stays open."""
        while self._sending:
            await asyncio.wait([self._sending])

    def _sent(self, command: Command) -> asyncio.Future[object]:
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return answer

    async def _send(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[:MOST_COMMANDS]
                values = await self._values([command for command, _ in batch])
                self._waiting = self._waiting[len(batch) :]  # others came up meanwhile
                for (_, answer), value in zip(batch, values, strict=True):
                    if not answer.done():  # else nobody waits for it any more
                        answer.set_result(value)
                if self._outage.down:
                    self._give_up()
        except Exception:
            logger.exception("commands to Redis went wrong, though Redis may answer: whoever asked goes on without")
            self._give_up()
        except BaseException:
            self._give_up()  # nobody may be left waiting
            raise
        finally:
            self._sending = None

    def _give_up(self) -> None:
        for _, answer in self._waiting:
            if not answer.done():
                answer.set_result(None)
        self._waiting = []

    async def _values(self, commands: list[Command]) -> list[object]:
        from redis.exceptions import ConnectionError as Disconnected
        from redis.exceptions import DataError, ReadOnlyError, RedisError

        joined = _Joined(commands)
        try:
            async with Patience(self._seconds), self._client.pipeline(transaction=False) as pipeline:
                for command in joined.commands:
                    pipeline.execute_command(*command)
                answers: list[object] = await pipeline.execute(raise_on_error=False)
        except DataError:  # one of ours, which was never sent
            raise
        except TimeoutError:
            self._outage.failed(TimeoutError(f"no answer within {self._seconds:g} seconds"))
            return [None] * len(commands)
        except RedisError as error:
            self._outage.failed(error)
            return [None] * len(commands)
        refused = [answer for answer in answers if isinstance(answer, RedisError)]
        # It is loading, or has become a replica. Whatever else it refuses, it answers other commands.
        away = next((answer for answer in refused if isinstance(answer, Disconnected | ReadOnlyError)), None)
        if away is None:
            self._outage.answered()
        else:
            self._outage.failed(away)
        for answer in refused:
            if answer is not away:
                self._refusals.refused(answer)
        return joined.each([None if isinstance(answer, RedisError) else answer for answer in answers])


class _Joined:
    """Commands with their MGETs as one, behind all others."""

    def __init__(self, commands: list[Command]) -> None:
        self._asked = commands
        names = [name for command in commands if command[0] == GET for name in command[1:]]
        self.commands = [command for command in commands if command[0] != GET]
        if names:
            self.commands.append((GET, *names))

    def each(self, answers: list[object]) -> list[object]:
        """The answer to each of the commands as they were asked, of answers to `commands`."""
        others, values = iter(answers), answers[-1]
        found = iter(values) if isinstance(values, list) else None
        return [
            next(others) if command[0] != GET else found and list(islice(found, len(command) - 1))
            for command in self._asked
        ]
