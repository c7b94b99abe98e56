"""Whether a challenger may take the champion's place: a policy applied to the evidence."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from evaluation.claims import Claim, Ruling, Verdict, rule
from evaluation.comparison import Comparison, GuidelineChange, Status, compare
from evaluation.floors import held_to_floors
from evaluation.metrics import EvaluationFigures, figures_of
from evaluation.paired import Measure, Paired, pool
from evaluation.policy import Policy, Tier
from evaluation.reasons import Basis, Quantity, Reason, Weight, counted, room_of
from evaluation.record import Evaluation

WITHIN, OVER = "within the limit", "over the limit"


class Outcome(StrEnum):
    """What a gate says."""

    PROMOTE = "PROMOTE"
    BLOCK = "BLOCK"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True)
class Decision:
    """A gate's decision with everything it rests on."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    rulings: tuple[Ruling, ...]
    policy: Policy
    looks: int  # decisions on this version of the set before this one
    challenger: Evaluation
    after: EvaluationFigures
    comparison: Comparison | None  # None for a first champion


def decide(champion: Evaluation | None, challenger: Evaluation, policy: Policy, *, looks: int = 0) -> Decision:
    """Applies a policy. Without a champion floors decide alone. Raises NotComparable."""
    comparison = compare(champion, challenger) if champion else None
    claims = _claims(comparison, policy) if comparison else []
    rulings = rule(claims, policy) if claims else ()
    after = comparison.after if comparison else figures_of(challenger)
    reasons = [
        *(_changes(comparison, policy) if comparison else _first(challenger)),
        *(reason for ruling in rulings for reason in reasons_of(ruling)),
        *held_to_floors(challenger, policy, first=comparison is None),
        *(_injection(comparison, policy) if comparison else ()),
        *_failures(challenger, after, policy),
        *(_limits(comparison, policy) if comparison else ()),
        *_looked(looks, policy),
    ]
    weights = {reason.weight for reason in reasons}
    outcome = Outcome.PROMOTE
    if Weight.AGAINST in weights:
        outcome = Outcome.BLOCK
    elif Weight.OPEN in weights:
        outcome = Outcome.INCONCLUSIVE
    order = [Weight.AGAINST, Weight.OPEN, Weight.FOR, Weight.NOTE]
    reasons.sort(key=lambda reason: order.index(reason.weight))
    return Decision(outcome, tuple(reasons), rulings, policy, looks, challenger, after, comparison)


def _claims(comparison: Comparison, policy: Policy) -> list[Claim]:
    """A claim on each changed guideline and, of the supporting ones, on each category."""
    changed = [change for change in comparison.guidelines if change.status is Status.CHANGED]
    claims = [
        Claim(pair, _margin(policy, tier, pair), tier, deciding=tier is Tier.CRITICAL)
        for change in changed
        for tier in [policy.tier(change.id, change.facts)]
        for pair in change.pairs
    ]
    supporting = [change for change in changed if policy.tier(change.id, change.facts) is Tier.SUPPORTING]
    for category in sorted({change.facts.category for change in supporting}):
        members = [change for change in supporting if change.facts.category == category]
        claims += (
            Claim(pair, _margin(policy, Tier.SUPPORTING, pair), Tier.SUPPORTING, deciding=True)
            for pair in _pooled(f"supporting, {category}", members)
        )
    return claims


def _pooled(name: str, members: Sequence[GuidelineChange]) -> Iterator[Paired]:
    for pairs in zip(*(member.pairs for member in members), strict=True):
        what = pairs[0].name.split(": ", 1)[1]
        yield pool(f"{name}: {what}", pairs)


def _margin(policy: Policy, tier: Tier, pair: Paired) -> float:
    margins = policy.margins[tier]
    return margins.recall if pair.measure is Measure.PROPORTION else margins.false_alarms


def _first(challenger: Evaluation) -> Iterator[Reason]:
    yield Reason(Weight.NOTE, f"There is no champion to compare {challenger.ref} with: floors alone decide.")


def _changes(comparison: Comparison, policy: Policy) -> Iterator[Reason]:
    names = {status: [c.id for c in comparison.guidelines if c.status is status] for status in Status}
    if unchanged := names[Status.UNCHANGED]:
        yield Reason(Weight.NOTE, f"{counted(len(unchanged), 'guideline')} judge as before and leave the family.")
    if not names[Status.CHANGED]:
        yield Reason(Weight.FOR, "No guideline that both versions have has changed.")
    if added := names[Status.ADDED]:
        yield Reason(Weight.NOTE, f"New, and held to the floors only: {', '.join(added)}.")
    known = {change.id for change in comparison.guidelines}
    for id in sorted(set(policy.guidelines) - known):
        text = (
            f"The policy names guideline {id!r}, which neither version has: mend the policy, or its tier is nobody's."
        )
        yield Reason(Weight.OPEN, text)
    for change in comparison.guidelines:
        if change.status is Status.REMOVED:
            critical = policy.tier(change.id, change.facts) is Tier.CRITICAL
            text = f"Guideline {change.id!r} is not in the challenger: what it found is not found any more."
            yield Reason(Weight.AGAINST if critical else Weight.NOTE, text)
        elif change.unpaired:
            text = (
                f"{change.id}: {counted(change.unpaired, 'article')} that only one version could check; "
                "what the champion found in them counts as lost, what the challenger found as nothing."
            )
            yield Reason(Weight.NOTE, text)


def reasons_of(ruling: Ruling) -> Iterator[Reason]:
    """What a ruling does to the decision; nothing where it decides nothing and all is well."""
    basis = _basis(ruling)
    yield from (replace(reason, basis=basis) for reason in _ruled(ruling))


def _basis(ruling: Ruling) -> Basis:
    claim = ruling.claim
    is_recall = claim.pair.measure is Measure.PROPORTION
    return Basis(
        ruling.name,
        str(ruling.verdict),
        Quantity.RECALL_CHANGE if is_recall else Quantity.ALARMS_CHANGE,
        ruling.change,
        claim.margin,
        None if ruling.low is None else room_of(ruling.low + claim.margin, claim.margin),
        low=ruling.low,
        high=ruling.high,
    )


def _ruled(ruling: Ruling) -> Iterator[Reason]:
    claim, name = ruling.claim, ruling.name
    change, margin = _points(ruling, ruling.change), _points(ruling, claim.margin)
    if ruling.verdict is Verdict.WORSE:
        weight = Weight.NOTE if claim.tier is Tier.ADVISORY else Weight.AGAINST
        yield Reason(weight, f"{name} worse by {change}, surely more than the margin of {margin}.")
    elif claim.deciding and claim.tier is Tier.CRITICAL and ruling.surely_a_loss:
        yield Reason(Weight.AGAINST, f"{name} surely fell, by {change}, and it is critical.")
    elif ruling.verdict is Verdict.DROP:
        yield Reason(Weight.NOTE, f"{name} fell by {change}, surely less than the margin of {margin}.")
    elif not claim.deciding:
        return
    elif ruling.verdict is Verdict.NO_WORSE:
        worst = _points(ruling, min(ruling.low or 0.0, 0.0))
        yield Reason(Weight.FOR, f"{name} no worse: at the worst, {worst} {_lost(ruling)}.")
    elif ruling.change is None:
        yield Reason(Weight.OPEN, f"{name} can't be judged: this set has no label of it.")
    else:
        missing = counted(ruling.missing, "more labelled article group")
        lost = f"at the worst, {_points(ruling, ruling.low)} {_lost(ruling)}, and the margin is {margin}"
        hint = f"{missing} would settle it" if ruling.missing else "the evidence is against it"
        yield Reason(Weight.OPEN, f"{name}: not enough data, {lost}; {hint}.")


def _lost(ruling: Ruling) -> str:
    return "are lost" if ruling.claim.pair.measure is Measure.PROPORTION else "are new"


def _points(ruling: Ruling, value: float | None) -> str:
    if value is None:
        return "nothing known"
    if ruling.claim.pair.measure is Measure.PROPORTION:
        return f"{abs(value) * 100:.1f} points"
    return f"{abs(value):.2f} per 1,000 words"


def _injection(comparison: Comparison, policy: Policy) -> Iterator[Reason]:
    """Recall on the articles that talk to the model, all guidelines together."""
    name = policy.injection_slice
    if not name or not any(change.status is Status.CHANGED for change in comparison.guidelines):
        return
    if not any(name in article.slices for article in comparison.champion.articles):
        yield Reason(
            Weight.NOTE, f"The set has no slice {name!r}: nothing is known of articles that talk to the model."
        )
        return
    sliced = compare(comparison.champion, comparison.challenger, name)
    pairs = [c.recall for c in sliced.guidelines if c.status is Status.CHANGED and c.recall is not None]
    pooled = pool(f"{name}: recall", pairs)
    if pooled.effective < policy.least_effective:
        labels = counted(round(pooled.total), "labelled violation")
        text = f"Articles that talk to the model hold {labels} of what changed: too few to judge them apart."
        yield Reason(Weight.NOTE, text)
        return
    margin = policy.margins[Tier.CRITICAL].recall
    for ruling in rule([Claim(pooled, margin, Tier.CRITICAL, deciding=True)], policy):
        yield from reasons_of(ruling)


def _failures(challenger: Evaluation, after: EvaluationFigures, policy: Policy) -> Iterator[Reason]:
    part = after.failed / after.checks if after.checks else 0.0
    limit = policy.failed_checks
    counted = f"{after.failed:,} of {after.checks:,} checks failed or fell back ({part:.1%})"
    verdict = OVER if part > limit else WITHIN
    basis = Basis("failed checks", verdict, Quantity.FAILED, part, limit, room_of(limit - part, limit))
    if part > limit:
        yield Reason(Weight.AGAINST, f"{counted}, over the limit of {limit:.1%}.", basis)
    elif after.failed:
        yield Reason(Weight.NOTE, f"{counted}; they are left out of every figure.", basis)


def _limits(comparison: Comparison, policy: Policy) -> Iterator[Reason]:
    before, after = comparison.before, comparison.after
    pairs: Iterable[tuple[str, float | None, float | None, float | None]] = (
        ("Cost", _each(before.cost, comparison.champion), _each(after.cost, comparison.challenger), policy.cost_ratio),
        (
            "p95 latency",
            before.seconds_p95,
            after.seconds_p95,
            policy.p95_ratio if comparison.challenger.model else None,
        ),
    )
    for name, old, new, limit in pairs:
        if limit is None or not old:
            continue
        if new is None:
            yield Reason(Weight.OPEN, f"{name} of the challenger isn't known: put its model into the price table.")
            continue
        ratio = new / old
        weight, verdict = (Weight.AGAINST, OVER) if ratio > limit else (Weight.FOR, WITHIN)
        basis = Basis(name, verdict, Quantity.RATIO, ratio, limit, room_of(limit - ratio, limit))
        yield Reason(weight, f"{name} is {ratio:.2f} times the champion's, {verdict} of {limit:g}.", basis)


def _each(cost: float | None, evaluation: Evaluation) -> float | None:
    return None if cost is None else cost / max(1, len(evaluation.results))


def _looked(looks: int, policy: Policy) -> Iterator[Reason]:
    if looks >= policy.looks:
        text = (
            f"This version of the set has decided {looks} times, and the policy trusts {policy.looks}: "
            "what passes now may have been fitted to it. Label new articles."
        )
        yield Reason(Weight.OPEN, text)
    else:
        yield Reason(Weight.NOTE, f"Decision {looks + 1} of {policy.looks} that this version of the set is good for.")
