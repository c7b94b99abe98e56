"""What a measurement is, how one is repeated, and where they are listed."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """A number with its target and what it is compared to; `ok` is None where it could not be measured."""

    name: str
    value: float | None
    unit: str
    target: str
    ok: bool | None
    baseline: str = ""
    ratio: float | None = None
    note: str = ""


Benchmark = Callable[[], Iterator[Measurement]]
BENCHMARKS: dict[str, Benchmark] = {}
PARTS: dict[str, str] = {}  # what is measured together with others -> its benchmark


def benchmark(name: str, *parts: str) -> Callable[[Benchmark], Benchmark]:
    """Lists a function under the name that `make bench ONLY=name` takes; by one of its `parts` it runs all of them."""

    def add(function: Benchmark) -> Benchmark:
        BENCHMARKS[name] = function
        PARTS.update(dict.fromkeys(parts, name))
        return function

    return add


def median_ms(work: Callable[[], object], *, repeats: int = 50, warm_up: int = 3) -> float:
    """Median wall time of `work` in milliseconds, with the collector of garbage off."""
    return medians_ms(work, rounds=repeats, warm_up=warm_up)[0]


def medians_ms(*works: Callable[[], object], rounds: int, warm_up: int = 1) -> list[float]:
    """Median wall time of each in milliseconds, taken in turns, so that a busy machine slows all of them."""
    for _ in range(warm_up):
        for work in works:
            work()
    times: list[list[float]] = [[] for _ in works]
    gc.disable()
    try:
        for _ in range(rounds):
            for work, taken in zip(works, times, strict=True):
                started = time.perf_counter()
                work()
                taken.append((time.perf_counter() - started) * 1000)
    finally:
        gc.enable()
    return [statistics.median(taken) for taken in times]
