"""How guidelines fare with editors. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from agent.intervals import wilson
from serving.feedback import Reason, State

WRONG = frozenset({Reason.FALSE_ALARM, Reason.NOT_IN_THIS_CONTEXT, Reason.QUOTATION})
Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Count:
    """How many findings of a guideline and version stand alike."""

    guideline: str
    version: str
    state: State
    reason: Reason | None
    findings: int


@dataclass(frozen=True, slots=True)
class Precision:
    """Of findings that are right or wrong, the part that is right, with Wilson's 95 % interval."""

    value: float
    low: float
    high: float
    findings: int  # right or wrong


@dataclass(frozen=True, slots=True)
class GuidelineFigures:
    """Findings of one guideline under one version: each counts once in a document of a user, however often checked.

    `raised = accepted + sum(dismissed) + undecided`. A finding is right where its editor accepted it, wrong where they
    dismissed it as a false alarm, as not meant in its context or as a quotation, unless a guideline owner declined
    that. A dismissal as style choice or house exception finds fault with the rule's use, not with the finding, and
    `other` may be either: they count as neither.
    """

    guideline: str
    version: str
    raised: int
    accepted: int
    dismissed: dict[Reason, int]
    pending: int  # of the dismissed
    declined: int  # of the dismissed
    undecided: int
    precision: Precision | None  # None: nothing is known to be right or wrong


def figures(counts: Iterable[Count]) -> list[GuidelineFigures]:
    """By guideline and version."""
    groups: defaultdict[tuple[str, str], list[Count]] = defaultdict(list)
    for count in counts:
        groups[count.guideline, count.version].append(count)
    return [_figures(guideline, version, group) for (guideline, version), group in sorted(groups.items())]


def precision(right: int, wrong: int) -> Precision | None:
    if not (known := right + wrong):
        return None
    value = right / known
    low, high = wilson(value, known, Z)
    return Precision(value, low, high, known)


def _figures(guideline: str, version: str, counts: list[Count]) -> GuidelineFigures:
    of_state = dict.fromkeys(State, 0)
    of_reason = dict.fromkeys(Reason, 0)
    wrong = 0
    for count in counts:
        of_state[count.state] += count.findings
        if count.reason is not None:
            of_reason[count.reason] += count.findings
            if count.reason in WRONG and count.state is not State.DECLINED:
                wrong += count.findings
    return GuidelineFigures(
        guideline=guideline,
        version=version,
        raised=sum(of_state.values()),
        accepted=of_state[State.ACCEPTED],
        dismissed=of_reason,
        pending=of_state[State.PENDING],
        declined=of_state[State.DECLINED],
        undecided=of_state[State.NONE],
        precision=precision(of_state[State.ACCEPTED], wrong),
    )
