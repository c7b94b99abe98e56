"""What a version must reach by itself, whatever the champion does."""

from collections.abc import Iterator

from evaluation.counts import GroupSums, counts_of, group_rows, total
from evaluation.estimates import Estimate, proportion, rate
from evaluation.metrics import PER_WORDS
from evaluation.policy import Floors, Policy, Tier
from evaluation.reasons import Basis, Quantity, Reason, Weight, room_of
from evaluation.record import Evaluation


def held_to_floors(challenger: Evaluation, policy: Policy, *, first: bool) -> Iterator[Reason]:
    """Of each critical guideline, and of the supporting ones of a category together; those that hold are one reason."""
    rows = group_rows(challenger.articles)
    by_tier: dict[tuple[Tier, str], list[GroupSums]] = {}
    for id, facts in challenger.guidelines.items():
        tier = policy.tier(id, facts)
        name = id if tier is Tier.CRITICAL else f"{tier}, {facts.category}"
        by_tier.setdefault((tier, name), []).append(counts_of(challenger, id).by_group(rows))
    reasons = [
        reason
        for (tier, name), sums in sorted(by_tier.items())
        if tier in policy.floors
        for reason in _floor(name, total(sums, len(rows)), policy.floors[tier], policy, first=first)
    ]
    held = tuple(reason for reason in reasons if reason.weight is Weight.FOR)
    if held:
        yield Reason(Weight.FOR, f"{len(held)} of {len(reasons)} floors and ceilings hold.", parts=held)
    yield from (reason for reason in reasons if reason.weight is not Weight.FOR)


def _floor(name: str, sums: GroupSums, floors: Floors, policy: Policy, *, first: bool) -> Iterator[Reason]:
    level = 1 - 2 * policy.alpha
    recall = proportion(sums["found"], sums["gold"], level)
    alarms = rate(sums["false_alarms"], sums.words / PER_WORDS, level)
    if floors.recall is not None:
        yield _held(f"{name}: recall", recall, floors.recall, sign=1, first=first)
    if floors.false_alarms is not None:
        yield _held(f"{name}: false alarms per 1,000 words", alarms, floors.false_alarms, sign=-1, first=first)


def _held(name: str, estimate: Estimate, floor: float, *, sign: int, first: bool) -> Reason:
    """A floor holds where the estimate reaches it; a first champion's bound must, as nothing else vouches for it."""
    limit = "floor" if sign > 0 else "ceiling"
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return Reason(Weight.OPEN, f"{name} can't be held to its {limit} of {floor:g}: this set has no label of it.")
    cautious, hopeful = (estimate.low, estimate.high) if sign > 0 else (estimate.high, estimate.low)
    shown = f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"
    left = ((cautious if first else estimate.value) - floor) * sign
    weight, verdict = Weight.FOR, f"within the {limit}"
    if (hopeful - floor) * sign < 0:
        weight, verdict = Weight.AGAINST, f"surely beyond the {limit}"
    elif left < 0:
        weight, verdict = Weight.OPEN, f"not surely within the {limit}"
    quantity = Quantity.RECALL if sign > 0 else Quantity.ALARMS
    basis = Basis(
        name, verdict, quantity, estimate.value, floor, room_of(left, floor), low=estimate.low, high=estimate.high
    )
    return Reason(weight, f"{name} is {shown}, {verdict} of {floor:g}.", basis)
