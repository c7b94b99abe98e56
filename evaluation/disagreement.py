"""Where two versions disagree on articles that nobody has labelled: those teach most when they are labelled.

They are chosen because the versions differ there, so they say nothing of how often versions differ: they belong into a
set to develop on, or carry weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.report import ComplianceReport
from evaluation.matching import Span, overlap


@dataclass(frozen=True)
class Disagreement:
    """Findings of an article that only one of two versions has."""

    name: str
    words: int
    by_guideline: dict[str, int]

    @property
    def findings(self) -> int:
        return sum(self.by_guideline.values())


def disagreement(name: str, one: ComplianceReport, other: ComplianceReport) -> Disagreement:
    """Findings of each report that overlap none of the same guideline in the other."""
    ours, theirs = _spans(one), _spans(other)
    counts = {
        guideline: _alone(ours.get(guideline, []), theirs.get(guideline, []))
        + _alone(theirs.get(guideline, []), ours.get(guideline, []))
        for guideline in sorted(ours.keys() | theirs.keys())
    }
    return Disagreement(name, one.article.words, {id: count for id, count in counts.items() if count})


def ranked(disagreements: Sequence[Disagreement]) -> list[Disagreement]:
    """Those to label first: most findings of one version only, and of equals the shortest; none without any."""
    wanted = [one for one in disagreements if one.findings]
    return sorted(wanted, key=lambda one: (-one.findings, one.words, one.name))


def _spans(report: ComplianceReport) -> dict[str, list[Span]]:
    spans: dict[str, list[Span]] = {}
    for finding in report.findings:
        spans.setdefault(finding.guideline, []).append(Span(finding.start, finding.end))
    return spans


def _alone(spans: Sequence[Span], others: Sequence[Span]) -> int:
    return sum(not any(overlap(span, other) for other in others) for span in spans)
