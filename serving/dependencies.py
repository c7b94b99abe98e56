"""What the service stands on, and whether each answers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from agent.errors import CopydeskError
from serving.ports.clocks import Ticks

ASK_SECONDS = 2.0  # longer is no answer
KEPT_SECONDS = 1.0  # however often somebody asks

logger = logging.getLogger(__name__)


class DependencySilent(CopydeskError):
    """Something the service stands on doesn't answer."""

    type = "dependency-silent"
    status = 503
    retry_after = 5


@dataclass(frozen=True, slots=True)
class Dependency:
    """`ask` raises where it doesn't answer; without one that is `needed` no article can be checked."""

    name: str
    ask: Callable[[], Awaitable[object]]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """`failure` is None where it answers."""

    name: str
    needed: bool
    failure: CopydeskError | None

    @property
    def up(self) -> bool:
        return self.failure is None


class Dependencies:
    """All are asked at once, and none of them more often than once in KEPT_SECONDS."""

    def __init__(self, each: Sequence[Dependency], ticks: Ticks, *, seconds: float = ASK_SECONDS) -> None:
        """`seconds`: how long each is waited for."""
        self._each = each
        self._seconds = seconds
        self._ticks = ticks
        self._asking = asyncio.Lock()
        self._told: tuple[Standing, ...] = ()
        self._until = 0.0

    async def standing(self) -> tuple[Standing, ...]:
        """In the order in which they were given."""
        async with self._asking:
            if not self._told or self._ticks() >= self._until:
                self._told = tuple(await asyncio.gather(*(_ask(each, self._seconds) for each in self._each)))
                self._until = self._ticks() + KEPT_SECONDS
            return self._told


async def _ask(dependency: Dependency, seconds: float) -> Standing:
    name, needed = dependency.name, dependency.needed
    try:
        async with asyncio.timeout(seconds):
            await dependency.ask()
    except CopydeskError as error:
        return Standing(name, needed, error)
    except TimeoutError:
        return Standing(name, needed, DependencySilent(f"{name} has not answered for {seconds:g} seconds"))
    except Exception as error:
        logger.exception("%s can't be asked", name)
        return Standing(name, needed, DependencySilent(f"{name} can't be asked: {type(error).__name__}"))
    return Standing(name, needed, None)
