"""A challenger on a sample of live articles, unseen by their editors. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.finding import Finding
from agent.meter import Meter
from agent.report import DONE, ComplianceReport
from serving import sign_test

MOST_WAITING = 500  # articles, where the cap is in money


class CheckState(StrEnum):
    """Of an article that was sampled."""

    WAITING = "waiting"
    COMPARED = "compared"
    LEFT_OUT = "left-out"  # the challenger's report has gaps, or its article is gone


@dataclass(frozen=True, slots=True)
class Shadow:
    """Times are UTC. One of the caps is set."""

    id: str
    version: str
    champion: str  # what it is compared with
    share: float  # of the documents, 0-1
    who: str
    started: datetime
    checks_a_day: int | None = None
    budget: float | None = None  # a day, in the currency of the price table
    ended: datetime | None = None
    reason: str = ""

    @property
    def most_waiting(self) -> int:
        """Articles that wait at once: what a day may check. More would only grow old."""
        return self.checks_a_day or MOST_WAITING

    def takes(self, unit: str) -> bool:
        """Each document once: its later versions would say the same again, and the test counts on news."""
        digest = hashlib.sha256(f"{self.id}\0{unit}".encode()).digest()
        return int.from_bytes(digest[:8]) < self.share * 2**64


@dataclass(frozen=True, slots=True)
class Spent:
    """What a shadow has used in some time."""

    checks: int
    calls: int
    cost: float

    def reaches_cap(self, shadow: Shadow) -> bool:
        if shadow.checks_a_day is not None and self.checks >= shadow.checks_a_day:
            return True
        return shadow.budget is not None and self.cost >= shadow.budget


@dataclass(frozen=True, slots=True)
class Bill:
    """What one attempt at an article has cost."""

    calls: int
    cost: float  # of unanswered calls as much as of answered ones on average
    known: bool = True  # whether the price table has the model


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding stands. Offsets are code points in its article's text, end exclusive."""

    fingerprint: str
    start: int = 0
    end: int = 0  # 0: it was compared by a release that kept no places
    paragraph: int = 0  # index in the document it came from


@dataclass(frozen=True, slots=True)
class Compared:
    """One guideline on one article, with what only one version found."""

    guideline: str
    both: int
    only_champion: tuple[Place, ...] = ()
    only_challenger: tuple[Place, ...] = ()

    @property
    def difference(self) -> int:
        """Below 0 where the challenger found less."""
        return len(self.only_challenger) - len(self.only_champion)


@dataclass(frozen=True, slots=True)
class Pair:
    """One article, by both versions."""

    job: str
    guidelines: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Findings of one guideline over all articles, and the articles on which the versions differ."""

    guideline: str
    articles: int
    both: int
    only_champion: int
    only_challenger: int
    evidence: sign_test.Evidence


@dataclass(frozen=True, slots=True)
class Tally:
    """What a shadow has shown so far."""

    articles: int
    overall: sign_test.Evidence
    guidelines: tuple[Agreement, ...]


def bill(meter: Meter, before: Spent) -> Bill:
    """`before` is what the shadow's earlier attempts have cost; it sets the price where nothing was answered now."""
    answered = meter.answered
    cost = answered.cost or 0.0
    calls, paid = (answered.calls, cost) if answered.calls else (before.calls, before.cost)
    each = paid / calls if calls else 0.0
    return Bill(answered.calls + meter.unanswered, cost + meter.unanswered * each, known=answered.cost is not None)


def compare(champion: ComplianceReport, challenger: ComplianceReport) -> tuple[Compared, ...]:
    """By the guidelines that both have checked. Findings are the same where their words overlap."""
    checked = [{o.guideline for o in report.outcomes if o.verdict in DONE} for report in (champion, challenger)]
    return tuple(
        _compared(guideline, _of(champion, guideline), _of(challenger, guideline))
        for guideline in sorted(checked[0] & checked[1])
    )


def tally(pairs: Sequence[Pair]) -> Tally:
    """`pairs` in the order they were compared."""
    of_guideline: defaultdict[str, list[Compared]] = defaultdict(list)
    for pair in pairs:
        for compared in pair.guidelines:
            of_guideline[compared.guideline].append(compared)
    overall = sign_test.evidence(_sign(sum(each.difference for each in pair.guidelines)) for pair in pairs)
    return Tally(len(pairs), overall, tuple(_agreement(id, each) for id, each in sorted(of_guideline.items())))


def _agreement(guideline: str, each: Sequence[Compared]) -> Agreement:
    return Agreement(
        guideline,
        len(each),
        sum(one.both for one in each),
        sum(len(one.only_champion) for one in each),
        sum(len(one.only_challenger) for one in each),
        sign_test.evidence(_sign(one.difference) for one in each),
    )


def _of(report: ComplianceReport, guideline: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.guideline == guideline]


def _compared(guideline: str, champion: Iterable[Finding], challenger: Iterable[Finding]) -> Compared:
    rest = list(challenger)
    only_champion = []
    both = 0
    for finding in champion:
        same = next((one for one in rest if one.start < finding.end and finding.start < one.end), None)
        if same is None:
            only_champion.append(_place(finding))
        else:
            rest.remove(same)
            both += 1
    return Compared(guideline, both, tuple(only_champion), tuple(map(_place, rest)))


def _place(finding: Finding) -> Place:
    return Place(finding.fingerprint, finding.start, finding.end, finding.paragraph)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
