"""An article of 5,000 words with 200 findings on repeated phrases among all that moves offsets."""

from typing import Any

from agent.article import Article, Block, ParagraphKind, build_article
from agent.check import Check, Verdict
from agent.finding import Finding, Method, Severity, make_finding
from agent.report import build_report
from agent.spec import AgentSpec
from tests.serving.pages.results import PACK, result_of

FINDINGS = 200
PARAGRAPHS = 104
SENTENCES = (
    "They utilize it, and\u00a0“they” utilize it 😀 prior to lunch; the the rest is for 👩‍👩‍👧 alone.",
    "‘Prior to’ is what she said — not prior to, nor in order to utilize a flag 🇮🇸 in order to go.",
    "The quay costs £18.4\u00a0million, and e\u0301tudes prior to the the vote were short.",
)
SUGGESTIONS = {"utilize": "use", "prior to": "before", "in order to": "to", "the the": "the"}
KINDS = (
    ParagraphKind.TEXT, ParagraphKind.LIST_ITEM, ParagraphKind.LIST_ITEM, ParagraphKind.TEXT, ParagraphKind.TABLE_CELL,
    ParagraphKind.TABLE_CELL, ParagraphKind.QUOTE,
)  # fmt: skip


def long_article(paragraphs: int = PARAGRAPHS) -> Article:
    filler = " ".join(f"word{at}" for at in range(30))
    blocks = [Block("A headline 😀 to utilize", ParagraphKind.HEADING, 1)]
    blocks += [Block(f"{SENTENCES[at % 3]} {filler}.", KINDS[at % len(KINDS)]) for at in range(paragraphs)]
    return build_article(blocks)


def long_findings(article: Article, number: int = FINDINGS) -> list[Finding]:
    """On every phrase, in reading order."""
    places = sorted(
        (start, phrase)
        for phrase in SUGGESTIONS
        for start in range(len(article.text))
        if article.text.startswith(phrase, start)
    )
    return [
        make_finding(
            article,
            start,
            start + len(phrase),
            guideline=PACK.guidelines[len(phrase) % 5].id,
            severity=list(Severity)[at % 3],
            message=f"about {phrase}",
            method=Method.PATTERN,
            suggestions=(SUGGESTIONS[phrase],),
        )
        for at, (start, phrase) in enumerate(places[:number])
    ]


def long_result(number: int = FINDINGS, *, paragraphs: int = PARAGRAPHS) -> tuple[Article, dict[str, Any]]:
    article = long_article(paragraphs)
    findings = long_findings(article, number)
    guidelines = PACK.guidelines[:5]
    checks = [
        Check(
            guideline=guideline.id,
            verdict=Verdict.FINDINGS,
            method=Method.PATTERN,
            findings=tuple(finding for finding in findings if finding.guideline == guideline.id),
        )
        for guideline in guidelines
    ]
    stamp = AgentSpec(pack=PACK).stamp(name="copydesk-agent", number="3")
    return article, result_of(article, build_report(article, guidelines, checks, version=stamp, seconds=0.1))
