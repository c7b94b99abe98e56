"""Labelled articles and evaluations for tests."""

from datetime import UTC, datetime

from agent.check import Verdict
from agent.finding import Method, Severity
from agent.report import ReportStatus, VersionStamp
from agent.score import Band
from evaluation.labels import LabelledArticle, LabelledSet, LabelledSpan
from evaluation.matching import Span
from evaluation.record import ArticleLabels, ArticleResult, Evaluation, GuidelineFacts, GuidelineResult

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def labelled(text: str, *quotes: tuple[str, str], id: str = "a", **fields: object) -> LabelledArticle:
    """An article with a violation of guideline `quote[0]` at the first place of `quote[1]`."""
    spans = [LabelledSpan(guideline=g, start=text.index(q), end=text.index(q) + len(q), quote=q) for g, q in quotes]
    values = {"id": id, "group": id, "split": "test", "text": text, "spans": spans} | fields
    return LabelledArticle.model_validate(values)


def labelled_set(*articles: LabelledArticle, name: str = "set") -> LabelledSet:
    return LabelledSet(name=name, articles=articles)


def labels(id: str, gold: dict[str, list[tuple[int, int]]], *, group: str = "", words: int = 100) -> ArticleLabels:
    return ArticleLabels(
        id=id,
        group=group or id,
        words=words,
        gold={guideline: tuple(Span(*span) for span in spans) for guideline, spans in gold.items()},
        score=100.0,
        band=Band.GREEN,
    )


def result(
    id: str,
    predicted: dict[str, list[tuple[int, int]]],
    *,
    repeat: int = 0,
    failed: tuple[str, ...] = (),
    seconds: float = 1.0,
    band: Band = Band.GREEN,
) -> ArticleResult:
    """What a version found; `predicted` names every guideline that was checked."""
    checked = {
        guideline: GuidelineResult(
            verdict=Verdict.FINDINGS if spans else Verdict.CLEAR,
            method=Method.MODEL,
            predicted=tuple(Span(*span) for span in spans),
        )
        for guideline, spans in predicted.items()
    }
    checked |= {guideline: GuidelineResult(verdict=Verdict.FAILED, reason="no answer") for guideline in failed}
    return ArticleResult(
        article=id,
        repeat=repeat,
        status=ReportStatus.PARTIAL if failed else ReportStatus.COMPLETE,
        score=100.0,
        band=band,
        guidelines=checked,
        seconds=seconds,
    )


def facts(digest: str = "1", *, severity: str = "breach", category: str = "legal") -> GuidelineFacts:
    return GuidelineFacts(title="A rule", category=category, severity=Severity(severity), digest=digest)


def evaluation(
    articles: list[ArticleLabels],
    results: list[ArticleResult],
    guidelines: dict[str, GuidelineFacts] | None = None,
    *,
    number: str = "1",
    set_digest: str = "d" * 64,
    model: str = "m",
) -> Evaluation:
    repeats = 1 + max((one.repeat for one in results), default=0)
    stamp = VersionStamp(
        name="copydesk-agent", number=number, digest=number * 64, code_digest="c" * 64, pack="p", pack_digest="e" * 64
    )
    return Evaluation(
        id=f"e{number}",
        set_name="house",
        split="test",
        set_digest=set_digest,
        version=stamp,
        model=model,
        guidelines=guidelines or {"g": facts()},
        repeats=repeats,
        started=AT,
        finished=AT,
        articles=tuple(articles),
        results=tuple(results),
    )
