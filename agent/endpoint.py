"""A model endpoint as all versions in a process share it: its connections, its limits, its breakers."""

import logging
from functools import cached_property

from purgatory import AsyncCircuitBreakerFactory

from agent.errors import ModelError
from agent.limiter import Limiter, Limits, ProcessLimiter
from agent.settings import ModelSettings
from agent.transport import Transport

# Failures that the next question would meet, too; a run of them opens the breaker of the deployment that was asked.
BREAKING = frozenset({"timeout", "unreachable", "server-error", "unauthorised", "unknown-model", "not-a-completion"})

logger = logging.getLogger(__name__)


class Endpoint:
    """Give it back with `close`, in the event loop that used it."""

    def __init__(
        self, settings: ModelSettings, *, limiter: Limiter | None = None, transport: Transport | None = None
    ) -> None:
        self.settings = settings
        self.limiter = limiter or ProcessLimiter(
            Limits(settings.max_in_flight, settings.requests_per_minute, settings.tokens_per_minute)
        )
        self.breakers = AsyncCircuitBreakerFactory(
            default_threshold=settings.breaker_failures,
            default_ttl=settings.breaker_seconds,
            exclude=[(BaseException, _is_somebody_elses)],
        )
        self._given = transport

    @property
    def configured(self) -> bool:
        return bool(self.settings.url) or self._given is not None

    @cached_property
    def transport(self) -> Transport:
        if self._given is not None:
            return self._given
        from agent.http_transport import HttpTransport  # 1 s to import, and the embedded default asks no model

        return HttpTransport(self.settings)

    def prepare(self) -> None:
        """Does what the first question would wait for. It takes seconds of CPU: call it in a thread.

        What is wrong with the settings is said by the questions, so that articles are still checked by patterns.
        """
        if self.configured:
            try:
                _ = self.transport
            except ModelError as error:
                logger.warning("no model can be asked: %s", error)

    async def close(self) -> None:
        if "transport" in self.__dict__:
            await self.transport.close()


def _is_somebody_elses(error: BaseException) -> bool:
    return not (isinstance(error, ModelError) and error.reason in BREAKING)
