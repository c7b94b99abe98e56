"""Two versions or two periods of production, side by side."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.report import ComplianceReport
from serving.ports.runs import Runs
from serving.ports.versions import ServedVersion, ServedVersions
from serving.runs import (
    Bin,
    Change,
    Effort,
    GuidelineComparison,
    Pairs,
    Scope,
    Side,
    bins,
    by_difference,
    by_size,
    changes,
    compared,
    effort,
    guidelines_of,
    pairs,
)

MOST_DOCUMENTS = 2000  # of a side, the latest, for the sake of memory
MOST_CHANGES = 50  # that are listed
PAIRS_AT_ONCE = 25
PERIOD = timedelta(days=30)
HALF = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Comparison:
    a: Side
    b: Side
    scope: Scope
    documents: tuple[int, int]  # of each side
    cut: bool  # there may be more documents than MOST_DOCUMENTS
    guidelines: tuple[GuidelineComparison, ...]
    scores: tuple[Bin, ...]
    effort: tuple[Effort, Effort]
    pairs: Pairs
    changed: int  # documents whose text was the same and whose findings were not
    changes: tuple[Change, ...]  # of them those with most changes
    reports: dict[str, ComplianceReport]  # of the reader's own documents among the changes listed, by job


async def compare_runs(runs: Runs, *, a: Side, b: Side, scope: Scope, reader: str) -> Comparison:
    before = await runs.documents(a, scope, MOST_DOCUMENTS)
    after = await runs.documents(b, scope, MOST_DOCUMENTS)
    both = pairs(before, after)
    found = []
    for id in guidelines_of(before, after):
        found.append(compared(id, before, after))
        await asyncio.sleep(0)  # others are answered meanwhile; a thread would take memory of its own
    changed, most = await _changes(runs, both, scope.guideline)
    own = [d.job_id for change in most for d in (change.a, change.b) if d.user == reader]
    return Comparison(
        a=a,
        b=b,
        scope=scope,
        documents=(len(before), len(after)),
        cut=MOST_DOCUMENTS in (len(before), len(after)),
        guidelines=tuple(by_difference(found)),
        scores=tuple(bins(before, after)),
        effort=(effort(before), effort(after)),
        pairs=both,
        changed=changed,
        changes=tuple(most),
        reports=await runs.reports(own) if own else {},
    )


async def usual_sides(runs: Runs, versions: ServedVersions, now: datetime) -> tuple[Side, Side]:
    """The champion and the one before it; two fortnights where only one version has checked anything."""
    since, counts = now - PERIOD, await runs.versions(now - PERIOD)
    champion = await versions.champion()
    before = _before(champion, counts) if champion and champion.stamp.number in counts else ""
    if champion and before:
        return Side(before, since, now), Side(champion.stamp.number, since, now)
    return Side("", now - 2 * HALF, now - HALF), Side("", now - HALF, now)


async def _changes(runs: Runs, both: Pairs, guideline: str) -> tuple[int, list[Change]]:
    """How many documents changed, and those that did most; some at a time, for the sake of memory."""
    count, most = 0, list[Change]()
    for start in range(0, len(both.same_text), PAIRS_AT_ONCE):
        some = both.same_text[start : start + PAIRS_AT_ONCE]
        raised = await runs.raised([one.job_id for pair in some for one in pair])
        found = changes(some, raised, guideline)
        count += len(found)
        most = by_size([*most, *found])[:MOST_CHANGES]
    return count, most


def _before(champion: ServedVersion, counts: dict[str, int]) -> str:
    """The version that the champion took over from, else the one that checked most."""
    others = {version: count for version, count in counts.items() if version != champion.stamp.number}
    promotion = champion.evidence.promotion if champion.evidence else None
    previous = promotion.previous if promotion else None
    if str(previous) in others:
        return str(previous)
    return max(others, key=lambda version: (others[version], version), default="")
