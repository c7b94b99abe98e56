"""Rollouts for tests and benchmarks, and whole ones simulated."""

import math
import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from registry.signatures import Signed
from registry.statement import Trial
from serving.rollout import Evidence, JobFacts, Rollout, RolloutPolicy, State, decide
from tests.serving.build import NOW

POLICY = RolloutPolicy(least_jobs=20)
CHECKS = 18
PATIENCE = 50_000  # jobs, after which a simulated rollout is left as it is


def consent(at: datetime = NOW) -> str:
    trial = Trial(rollout="r", number=2, champion=1, record="d" * 64, who="ada", at=at)
    return Signed(body=trial.model_dump(mode="json"), key="k1", signature="").model_dump_json()


def rollout(**fields: Any) -> Rollout:
    known: dict[str, Any] = {
        "id": "r",
        "challenger": "2",
        "champion": "1",
        "policy": POLICY,
        "signed": consent(),
        "who": "ada",
        "started": NOW,
        "staged": NOW,
    }
    return Rollout(**(known | fields))


def job_facts(unit: str, **fields: Any) -> JobFacts:
    known: dict[str, Any] = {
        "broken": False,
        "seconds": 1.0,
        "checks": 10,
        "failed": 0,
        "found": 2,
        "unanchored": 0,
    }
    return JobFacts(unit, **(known | fields))


def simulated(
    rng: random.Random, *, failing: float, usual: float = 0.005, policy: RolloutPolicy | None = None
) -> Rollout:
    """A rollout to its end, a job a second: the champion fails `usual` of its checks, the challenger `failing`.

    Half of the failures come alone, half take all checks of their job; every third job is of a document seen before.
    """
    there = rollout(policy=policy or RolloutPolicy(), id=str(rng.random()))
    champion, challenger = list[JobFacts](), list[JobFacts]()
    now, documents = NOW, 0
    for _ in range(PATIENCE):
        now += timedelta(seconds=1)
        documents += rng.random() < 2 / 3 or not documents
        document = str(documents - min(int(rng.expovariate(0.1)), documents - 1))
        takes = there.takes(document)
        (challenger if takes else champion).append(_job(rng, document, failing if takes else usual))
        if not takes or not there.is_due(len(challenger), now):
            continue
        before, there = there, there.after(decide(there, Evidence(tuple(champion), tuple(challenger)), now), now)
        if there.state is not State.RUNNING:
            return there
        if there.stage != before.stage:
            champion.clear()
            challenger.clear()
    return replace(there, reason="it never ended")


def _job(rng: random.Random, document: str, failing: float) -> JobFacts:
    all_failed = rng.random() < failing / 2
    failed = CHECKS if all_failed else _binomial(rng, CHECKS, failing / 2)
    found = 0 if all_failed else rng.randrange(8)
    return JobFacts(
        unit=document,
        broken=failed > 0,
        seconds=rng.lognormvariate(0.5, 0.5),
        checks=CHECKS,
        failed=failed,
        found=found,
        unanchored=_binomial(rng, found, 0.04),
    )


def _binomial(rng: random.Random, trials: int, chance: float) -> int:
    """By the gaps between hits, which are few."""
    hits, place = 0, 0
    while True:
        place += 1 + int(math.log(1 - rng.random()) / math.log1p(-chance))
        if place > trials:
            return hits
        hits += 1
