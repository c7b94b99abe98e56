"""Whether hostile input takes no more CPU than it may, on a machine that does other things, too."""

import contextlib
import time
from collections.abc import Callable

from agent.errors import ArticleError

TRIES = 3  # the least of them: what others do on the machine only adds to it


def takes_less_than(seconds: float, work: Callable[[], object]) -> bool:
    """Of CPU, in this thread. Only what took longer is tried again."""
    return any(_cpu_seconds(work) < seconds for _ in range(TRIES))


def takes_time_in_proportion(read: Callable[[str], object], unit: str, characters: int) -> bool:
    """Four times as much text may take ten times as long, not sixteen."""
    once = min(_reading(read, unit, characters) for _ in range(TRIES))
    return any(_reading(read, unit, 4 * characters) < 10 * once + 0.1 for _ in range(TRIES))


def _reading(read: Callable[[str], object], unit: str, characters: int) -> float:
    text = unit * (characters // len(unit))

    def work() -> None:
        with contextlib.suppress(ArticleError):
            read(text)

    return _cpu_seconds(work)


def _cpu_seconds(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started
