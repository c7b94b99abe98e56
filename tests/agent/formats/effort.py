"""Whether reading hostile markup takes time in proportion to its length, on a machine that does other things, too."""

import contextlib
import time
from collections.abc import Callable

from agent.errors import ArticleError

TRIES = 3  # the least of them: what others do on the machine only adds to it


def takes_time_in_proportion(read: Callable[[str], object], unit: str, characters: int) -> bool:
    """Four times as much text may take ten times as long, not sixteen."""
    once, more = (_seconds(read, unit * (length // len(unit))) for length in (characters, 4 * characters))
    return more < 10 * once + 0.1


def _seconds(read: Callable[[str], object], text: str) -> float:
    return min(_cpu_seconds(read, text) for _ in range(TRIES))


def _cpu_seconds(read: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    with contextlib.suppress(ArticleError):
        read(text)
    return time.process_time() - started
