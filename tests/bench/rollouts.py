"""How often a rollout and a shadow's test decide right: `rollout-simulation`, `shadow-simulation`. Seeded."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from statistics import median

from serving.rollout import RolloutPolicy, State
from serving.sign_test import e_value
from tests.bench.measure import Measurement, benchmark
from tests.serving.rollouts import simulated

RUNS = 500
USUAL, WORSE = 0.005, 0.08  # part of the checks that fail
POLICY = RolloutPolicy(least_minutes=5)  # a job a second: stages of 3,000, 600 and 300 jobs at least
ALPHA, ARTICLES, SHADOWS = 0.05, 1000, 2000


@benchmark("rollout-simulation")
def rollout_simulation() -> Iterator[Measurement]:
    with ProcessPoolExecutor(2) as pool:
        worse = list(pool.map(partial(_end, WORSE), range(RUNS), chunksize=25))
        equal = list(pool.map(partial(_end, USUAL), range(RUNS), chunksize=25))
    aborted = sum(state is State.ABORTED for state, _ in worse) / RUNS * 100
    through = sum(state is State.FINISHED for state, _ in equal) / RUNS * 100
    stages = Counter(stage for _, stage in worse)
    note = (
        f"{RUNS} rollouts each; the champion fails {USUAL:.1%} of its checks; the worse one was aborted in stage "
        f"{', '.join(f'{stage + 1} ({count} times)' for stage, count in sorted(stages.items()))}"
    )
    yield Measurement("rollout: fails 8 %, aborted", aborted, "%", ">= 99 %", aborted >= 99, note=note)
    yield Measurement("rollout: equal, goes through", through, "%", ">= 98 %", through >= 98)


@benchmark("shadow-simulation")
def shadow_simulation() -> Iterator[Measurement]:
    """Looked at after each article on which the versions differ."""
    random_ = random.Random(7)
    kept: dict[tuple[int, int], float] = {}
    fair = [_rejected_at(random_, 0.5, kept) for _ in range(SHADOWS)]
    alarms = sum(at is not None for at in fair) / SHADOWS * 100
    note = f"{SHADOWS:,} shadows of {ARTICLES:,} articles that differ, looked at after each"
    yield Measurement("shadow: false alarms", alarms, "%", "<= 5 %", alarms <= 5, note=note)
    for chance in (0.6, 0.7):
        found = [_rejected_at(random_, chance, kept) for _ in range(SHADOWS // 4)]
        seen = [at for at in found if at is not None]
        power = len(seen) / len(found) * 100
        needed = f"{median(seen):.0f} articles in the median" if seen else "never"
        name = f"shadow: less on {chance:.0%} of those, found"
        yield Measurement(name, power, "%", ">= 90 %", power >= 90, note=f"after {needed}")


def _end(failing: float, seed: int) -> tuple[State, int]:
    there = simulated(random.Random(seed), failing=failing, usual=USUAL, policy=POLICY)
    return there.state, there.stage


def _rejected_at(random_: random.Random, chance: float, kept: dict[tuple[int, int], float]) -> int | None:
    less = more = 0
    for article in range(1, ARTICLES + 1):
        less, more = (less + 1, more) if random_.random() < chance else (less, more + 1)
        if (less, more) not in kept:
            kept[less, more] = e_value(less, more)
        if kept[less, more] >= 1 / ALPHA:
            return article
    return None
