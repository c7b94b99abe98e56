"""A model's answer to verdicts on units, and verdicts to findings in the article."""

import html
from collections import defaultdict
from collections.abc import Iterable, Mapping

from agent.anchors import Anchor, Anchors
from agent.answers import MAX_EXPLANATION, MAX_SUGGESTION, AnswerFinding
from agent.article import Article, Paragraph
from agent.check_cache import KeptFinding, KeptVerdict
from agent.finding import Finding, Method, make_finding
from agent.guideline import Guideline, Scope
from agent.prompts import HIDDEN
from agent.readings import Reading
from agent.sentences import sentences
from agent.units import Unit


def verdicts(
    article: Article, guideline: Guideline, units: Iterable[Unit], reading: Reading, answer: Iterable[AnswerFinding]
) -> dict[Unit, KeptVerdict]:
    """A verdict on each unit that the reading asks about.

    Findings in what was shown for context only are left out. A quote that isn't in what was shown counts as unanchored
    in the unit it is said to be from. A finding in a guideline of scope sentence covers one sentence at most.
    """
    unit_of = {index: unit for unit in units for index in unit.asked if index in set(reading.asked)}
    found: dict[Unit, list[KeptFinding]] = defaultdict(list)
    unanchored: dict[Unit, int] = defaultdict(int)
    anchors = Anchors(article, within=reading.shown)
    first = unit_of[reading.asked[0]]
    for item in answer:
        anchor = _anchor(anchors, item)
        if anchor is None:
            unanchored[unit_of.get(item.paragraph - 1, first)] += 1
            continue
        paragraph = article.paragraph_at(anchor.start)
        if unit := unit_of.get(paragraph.index):
            found[unit].append(_kept(item, anchor, paragraph, unit, guideline.scope))
    asked = dict.fromkeys(unit_of.values())
    return {unit: KeptVerdict(findings=tuple(found[unit]), unanchored=unanchored[unit]) for unit in asked}


def findings(article: Article, guideline: Guideline, kept: Mapping[Unit, KeptVerdict]) -> tuple[Finding, ...]:
    """The findings of verdicts at their places in the article, in reading order."""
    made = [
        _finding(article, guideline, article.paragraphs[unit.asked[one.paragraph]], one)
        for unit, verdict in kept.items()
        for one in verdict.findings
    ]
    return tuple(sorted(made, key=lambda finding: (finding.start, finding.end)))


def _anchor(anchors: Anchors, item: AnswerFinding) -> Anchor | None:
    hint = item.paragraph - 1
    # The article was shown with its angle brackets and ampersands escaped, and some models copy them so.
    return anchors.find(item.quote, paragraph=hint) or anchors.find(html.unescape(item.quote), paragraph=hint)


def _kept(item: AnswerFinding, anchor: Anchor, paragraph: Paragraph, unit: Unit, scope: Scope) -> KeptFinding:
    start, end = anchor.start - paragraph.start, anchor.end - paragraph.start
    if scope is Scope.SENTENCE:
        start, end = _in_one_sentence(paragraph.text, start, end)
    cut = (start, end) != (anchor.start - paragraph.start, anchor.end - paragraph.start)
    return KeptFinding(
        paragraph=unit.asked.index(paragraph.index),
        start=start,
        end=end,
        explanation=_shown(item.explanation)[:MAX_EXPLANATION],
        suggestion="" if cut else _suggestion(item),
    )


def _in_one_sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The part of a span that lies in the sentence it has most of."""
    parts = [(max(start, first), min(end, last)) for first, last in sentences(text)]
    longest = max(parts, key=lambda part: part[1] - part[0], default=(start, end))
    return longest if longest[0] < longest[1] else (start, end)


def _suggestion(item: AnswerFinding) -> str:
    """Words to put in place of the quote; none where they are the quote, or no replacement by their length."""
    suggestion = _shown(item.suggestion)
    return "" if suggestion == item.quote.strip() or len(suggestion) > MAX_SUGGESTION else suggestion


def _shown(text: str) -> str:
    """A model's words as an editor may see them: nothing hidden, on one line."""
    return HIDDEN.sub("", " ".join(text.split()))


def _finding(article: Article, guideline: Guideline, paragraph: Paragraph, kept: KeptFinding) -> Finding:
    return make_finding(
        article,
        paragraph.start + kept.start,
        paragraph.start + kept.end,
        guideline=guideline.id,
        severity=guideline.severity,
        message=kept.explanation or guideline.title,
        method=Method.MODEL,
        suggestions=(kept.suggestion,) if kept.suggestion else (),
    )
