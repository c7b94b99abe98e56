"""Decisions that the real gate made, as `decision.json` has them."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from agent.guideline import GuidelinePack
from evaluation.decision_record import record_of
from evaluation.gate import decide
from evaluation.policy import Floors, Margins, Policy, Tier
from evaluation.record import Evaluation
from tests.evaluation.build import AT, evaluation, facts, labels, result

ARTICLES = 120
WORDS = 400  # of an article
POLICY = Policy(
    name="house",
    tiers={"breach": Tier.CRITICAL, "warning": Tier.SUPPORTING, "advice": Tier.ADVISORY},
    margins=dict.fromkeys(Tier, Margins(recall=0.1, false_alarms=0.1)),
    floors={Tier.CRITICAL: Floors(recall=0.2, false_alarms=0.3)},
    resamples=200,
    injection_slice="",
)


class Fares(NamedTuple):
    """How a version fares on a guideline: articles whose violation it misses, and in which it raises a false alarm."""

    misses: int = 0
    alarms: int = 0
    digest: str = "1"
    labelled: int = ARTICLES  # articles with a violation


def evaluated(
    number: str, pack: GuidelinePack, fares: Mapping[str, Fares], *, seconds: float = 1.0, failed: int = 0
) -> Evaluation:
    """A version of the pack on ARTICLES articles; guidelines that `fares` doesn't name are as good as can be."""
    each = {one.id: fares.get(one.id, Fares()) for one in pack.guidelines}
    at = {id: 10 * place for place, id in enumerate(each)}
    articles = [
        labels(str(n), {id: [(at[id], at[id] + 5)] for id in each if n < each[id].labelled}, words=WORDS)
        for n in range(ARTICLES)
    ]
    results = [
        result(
            str(n),
            {id: _raised(n, at[id], one) for id, one in each.items() if n >= failed},
            failed=tuple(each) if n < failed else (),
            seconds=seconds,
        )
        for n in range(ARTICLES)
    ]
    known = {
        one.id: facts(each[one.id].digest, severity=str(one.severity), category=one.category) for one in pack.guidelines
    }
    return evaluation(articles, results, known, number=number)


def _raised(article: int, at: int, one: Fares) -> list[tuple[int, int]]:
    found = [(at, at + 5)] if one.misses <= article < one.labelled else []
    return found + ([(at + 500, at + 505)] if article >= ARTICLES - one.alarms else [])


def decision_json(
    champion: Evaluation | None, challenger: Evaluation, policy: Policy = POLICY, *, made: datetime = AT
) -> str:
    decision, run = decide(champion, challenger, policy), "c" * 32 if champion else ""
    record = record_of(decision, champion_run=run, challenger_run="e" * 32, made=made, who="ada")
    return record.model_dump_json(indent=1)


def weighed(
    pack: GuidelinePack, *, first: bool = False, number: str = "2", against: str = "1", made: datetime = AT
) -> str:
    """A challenger that is promoted, with a little of everything that can be said of its guidelines."""
    before, after = dict[str, Fares](), dict[str, Fares]()
    for place, one in enumerate(pack.guidelines):
        labelled = (ARTICLES, ARTICLES, 90, 10)[place % 4] if one.severity == "advice" else ARTICLES
        before[one.id] = Fares(misses=8 + place % 5, alarms=place % 3, labelled=labelled)
        changed = "1" if place % 5 == 4 else "2"
        worse = 40 if one.severity == "advice" and place % 2 and labelled == ARTICLES else 0
        after[one.id] = Fares(4 + place % 4 + worse, place % 3, changed, labelled)
    champion = None if first else evaluated(against, pack, before)
    return decision_json(champion, evaluated(number, pack, after, seconds=0.92), made=made)
