"""How often the gate decides right, and intervals cover: `gate-simulation`, `interval-coverage`.

Seeded, on sets of the size that `evaluation.power` forecasts for a joint promotion.
"""

import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from evaluation.claims import Claim, Verdict, rule
from evaluation.estimates import proportion
from evaluation.paired import Measure, Paired, score_bounds
from evaluation.policy import Policy, Tier
from evaluation.power import joint_power, non_inferiority_units
from pipelines.gate import policy_of
from tests.bench.measure import Measurement, benchmark

RUNS, RESAMPLES, SEED = 2000, 1000, 7
GUIDELINES, MARGIN, DISCORDANCE = 20, 0.10, 0.10
CORRELATIONS = (0.0, 0.1, 0.3)


@dataclass(frozen=True)
class Scenario:
    """A true drop of the first guideline, or of all; the others change as often to either side."""

    drop: float
    everywhere: bool = False


@dataclass(frozen=True)
class Outcomes:
    """Parts of the runs."""

    promoted: float
    blocked: float
    worse: float  # some guideline was called worse


@benchmark("gate-simulation")
def gate_simulation() -> Iterator[Measurement]:
    size = _size()
    scenarios = [Scenario(0.0), Scenario(MARGIN), Scenario(2 * MARGIN), Scenario(MARGIN, everywhere=True)]
    with ProcessPoolExecutor() as pool:
        equal, at_margin, at_twice, all_at_margin = pool.map(simulate, scenarios)
    note = (
        f"{GUIDELINES} critical guidelines, {size} labelled groups each, {DISCORDANCE:.0%} discordance, {RUNS:,} runs"
    )
    rows = [
        ("equal challenger promoted", equal.promoted, ">= 90 %", equal.promoted >= 0.9),
        ("drop of the margin promoted", at_margin.promoted, "<= 5 %", at_margin.promoted <= 0.05),
        ("drop of twice the margin blocked", at_twice.blocked, ">= 80 %", at_twice.blocked >= 0.8),
        ("false worse, all at the margin", all_at_margin.worse, "<= 5 %", all_at_margin.worse <= 0.05 + _error(0.05)),
        ("false worse, equal challenger", equal.worse, "<= 5 %", equal.worse <= 0.05),
    ]
    for index, (name, value, target, ok) in enumerate(rows):
        yield Measurement(f"gate: {name}", value * 100, "%", target, ok, note="" if index else note)


@benchmark("forecast-power")
def forecast_power() -> Iterator[Measurement]:
    """A claim of no worse on the forecast size, for an equally good challenger."""
    random = np.random.default_rng(SEED)
    for measure in Measure:
        units = math.ceil(non_inferiority_units(MARGIN / 2, DISCORDANCE, power=0.8, measure=measure))
        expected = np.full(RUNS, units * DISCORDANCE / 2)
        draw = (
            [random.binomial(units, DISCORDANCE / 2, RUNS) for _ in range(2)]
            if measure is Measure.PROPORTION
            else [random.poisson(expected) for _ in range(2)]
        )
        low, _ = score_bounds(measure, draw[0], draw[1], np.full(RUNS, units), 1.644854)
        reached = float((low > -MARGIN / 2).mean()) * 100
        yield Measurement(
            f"forecast-power: {measure}", reached, "%", "80 ± 5 %", abs(reached - 80) <= 5, note=f"{units} units"
        )


@benchmark("interval-coverage")
def interval_coverage() -> Iterator[Measurement]:
    """95 % intervals of recall, 60 groups of 6 variants."""
    random = np.random.default_rng(SEED)
    truth, groups, variants = 0.7, 60, 6
    for correlation in CORRELATIONS:
        hits = 0
        for _ in range(RUNS):
            each = np.full(groups, truth)
            if correlation:
                shape = (1 - correlation) / correlation
                each = random.beta(truth * shape, (1 - truth) * shape, groups)
            found = random.binomial(variants, each)
            estimate = proportion(found, np.full(groups, variants))
            assert estimate.low is not None
            assert estimate.high is not None
            hits += estimate.low <= truth <= estimate.high
        covered = hits / RUNS * 100
        name = f"interval-coverage, correlation {correlation:g}"
        yield Measurement(name, covered, "%", "93-97 %", 93 <= covered <= 97)


def simulate(scenario: Scenario) -> Outcomes:
    random, policy = np.random.default_rng(SEED), _policy()
    promoted = blocked = worse = 0
    for _ in range(RUNS):
        rulings = rule(_family(random, scenario), policy)
        is_worse = any(ruling.verdict is Verdict.WORSE for ruling in rulings)
        is_blocked = is_worse or any(ruling.surely_a_loss for ruling in rulings)
        worse += is_worse
        blocked += is_blocked
        promoted += not is_blocked and all(ruling.verdict is Verdict.NO_WORSE for ruling in rulings)
    return Outcomes(promoted / RUNS, blocked / RUNS, worse / RUNS)


def _family(random: np.random.Generator, scenario: Scenario) -> list[Claim]:
    claims = []
    for n in range(GUIDELINES):
        drop = scenario.drop if scenario.everywhere or n == 0 else 0.0
        share = max(DISCORDANCE, drop + 0.02)
        drawn = random.random(_size())
        losses = (drawn < (share + drop) / 2).astype(float)
        gains = ((drawn >= (share + drop) / 2) & (drawn < share)).astype(float)
        pair = Paired(str(n), Measure.PROPORTION, np.ones(len(drawn)), gains, losses)
        claims.append(Claim(pair, MARGIN, Tier.CRITICAL, deciding=True))
    return claims


def _size() -> int:
    power = joint_power(policy_of(None).joint_power, GUIDELINES)
    return math.ceil(non_inferiority_units(MARGIN, DISCORDANCE, power=power))


def _policy() -> Policy:
    return policy_of(None).model_copy(update={"resamples": RESAMPLES})


def _error(part: float) -> float:
    """Two standard errors of a part of the runs."""
    return 2 * math.sqrt(part * (1 - part) / RUNS)
