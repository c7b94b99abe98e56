"""What an evaluation saw: every finding of a version on every labelled article, with the labels beside it.

A record says enough to work out every figure, to compare it with another, and to gate by it.
"""

import gzip
import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.article import Article
from agent.check import AnsweredBy, Usage, Verdict
from agent.errors import CopydeskError
from agent.finding import Finding, Method, Severity, make_finding
from agent.guideline import Guideline, Kind
from agent.report import ComplianceReport, GuidelineOutcome, ReportStatus, VersionStamp
from agent.score import Band, band, score
from agent.spec import AgentSpec
from evaluation.labels import LabelledArticle, LabelledSet, LabelledSpan
from evaluation.matching import Span, merged


class RecordUnreadable(CopydeskError):
    """An evaluation's record can't be read."""

    type = "evaluation-unreadable"


class ArticleLabels(BaseModel):
    """The labels of one article, as far as figures need them."""

    model_config = ConfigDict(frozen=True)

    id: str
    group: str
    words: int
    slices: tuple[str, ...] = ()
    gold: dict[str, tuple[Span, ...]] = {}  # guideline -> violations
    negatives: dict[str, tuple[Span, ...]] = {}  # guideline -> what only looks like one
    labelled_words: dict[str, int] = {}  # guideline -> words inside its violations
    score: float  # what the labels, taken as findings, come to
    band: Band

    def free_words(self, guideline: str) -> int:
        """Words outside the violations of a guideline, where any finding of it is a false alarm."""
        return self.words - self.labelled_words.get(guideline, 0)


class GuidelineResult(BaseModel):
    """One guideline on one article in one repeat."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    method: Method | None = None
    predicted: tuple[Span, ...] = ()
    messages: tuple[str, ...] = ()  # one for each of `predicted` that a model gave; empty with other methods
    suggestions: tuple[str, ...] = ()  # the best for each of them, "" where there is none
    unanchored: int = 0
    reason: str = ""

    @property
    def checked(self) -> bool:
        """Whether the version checked it as it says; what failed or fell back is no verdict."""
        return self.verdict in (Verdict.CLEAR, Verdict.FINDINGS) and self.method is not Method.FALLBACK


class ArticleResult(BaseModel):
    """A version on one article in one repeat."""

    model_config = ConfigDict(frozen=True)

    article: str
    repeat: int
    status: ReportStatus
    score: float | None
    band: Band | None
    guidelines: dict[str, GuidelineResult]
    usage: Usage = Usage()
    seconds: float


class GuidelineFacts(BaseModel):
    """What is known of a guideline that was evaluated."""

    model_config = ConfigDict(frozen=True)

    title: str
    category: str
    severity: Severity
    digest: str  # of everything that its verdicts depend on; equal in two versions, they judge alike


class Evaluation(BaseModel):
    """One version on one split of one labelled set."""

    model_config = ConfigDict(frozen=True)

    id: str
    set_name: str
    split: str
    set_digest: str  # of the split's articles
    version: VersionStamp
    model: str = ""  # deployment; empty when the version declares none
    guidelines: dict[str, GuidelineFacts]  # in the pack's order
    repeats: int
    started: datetime
    finished: datetime
    articles: tuple[ArticleLabels, ...]
    results: tuple[ArticleResult, ...] = Field(repr=False)

    @cached_property
    def labels(self) -> dict[str, ArticleLabels]:
        return {article.id: article for article in self.articles}

    @property
    def answered_by(self) -> tuple[AnsweredBy, ...]:
        """What answered for the version's model, sorted; empty where none was asked."""
        found = {each for result in self.results for each in result.usage.answered_by}
        return tuple(sorted(found, key=lambda each: (each.model, each.fingerprint)))

    @property
    def ref(self) -> str:
        """The version, as people name it."""
        return f"version {self.version.number}" if self.version.number else f"pack {self.version.pack} from files"

    @property
    def where(self) -> str:
        """Set and split, as people name them."""
        return self.set_name if self.set_name == self.split else f"{self.set_name}, {self.split}"

    def dump(self) -> bytes:
        return gzip.compress(self.model_dump_json(exclude_defaults=True).encode(), mtime=0)

    @classmethod
    def load(cls, data: bytes, where: str) -> "Evaluation":
        """Raises RecordUnreadable."""
        try:
            return cls.model_validate_json(gzip.decompress(data))
        except (OSError, EOFError, ValidationError) as error:
            raise RecordUnreadable(f"{where} holds no evaluation that can be read: evaluate anew ({error})") from error


def labels_of(labelled: LabelledArticle, guidelines: tuple[Guideline, ...]) -> ArticleLabels:
    """The labels of an article under the guidelines of a version; those of others don't count."""
    by_id = {guideline.id: guideline for guideline in guidelines}
    gold: dict[str, list[Span]] = {}
    negatives: dict[str, list[Span]] = {}
    findings = []
    for span in labelled.spans:
        if span.guideline in by_id:
            gold.setdefault(span.guideline, []).append(Span(span.start, span.end))
            severity = span.severity or by_id[span.guideline].severity
            findings.append(_as_finding(labelled.article, span, severity))
    for span in labelled.negatives:
        if span.guideline in by_id:
            negatives.setdefault(span.guideline, []).append(Span(span.start, span.end))
    total = score(findings, words=labelled.article.words, checked=len(guidelines))
    return ArticleLabels(
        id=labelled.id,
        group=labelled.group,
        words=labelled.article.words,
        slices=labelled.slices,
        gold={id: tuple(spans) for id, spans in gold.items()},
        negatives={id: tuple(spans) for id, spans in negatives.items()},
        labelled_words={
            id: sum(len(labelled.text[span.start : span.end].split()) for span in merged(spans))
            for id, spans in gold.items()
        },
        score=total.value,
        band=band(total.value, complete=True),
    )


def result_of(article: str, repeat: int, report: ComplianceReport) -> ArticleResult:
    """A report as an evaluation keeps it."""
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(finding.guideline, []).append(finding)
    return ArticleResult(
        article=article,
        repeat=repeat,
        status=report.status,
        score=report.score.value if report.score else None,
        band=report.band,
        guidelines={
            outcome.guideline: _result(outcome, found.get(outcome.guideline, ())) for outcome in report.outcomes
        },
        usage=report.usage,
        seconds=report.seconds,
    )


def _result(outcome: GuidelineOutcome, found: Sequence[Finding]) -> GuidelineResult:
    """What patterns say is in the pack; only what a model wrote would be lost."""
    written = found if outcome.method is Method.MODEL else ()
    return GuidelineResult(
        verdict=outcome.verdict,
        method=outcome.method,
        predicted=tuple(Span(one.start, one.end) for one in found),
        messages=tuple(one.message for one in written),
        suggestions=tuple(one.suggestions[0] if one.suggestions else "" for one in written),
        unanchored=outcome.unanchored,
        reason=outcome.reason,
    )


def check_digest(spec: AgentSpec, guideline: Guideline) -> str:
    """SHA-256 over all that a guideline's verdicts depend on: what asks no model depends on code and guideline only."""
    parts = [guideline.digest, spec.code]
    if guideline.kind is Kind.PROMPT and spec.model is not None:
        parts.append(spec.basis)
        if spec.options.checks_per_call > 1:  # the others in its call may sway it
            parts.append(spec.pack.digest)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _as_finding(article: Article, span: LabelledSpan, severity: Severity) -> Finding:
    return make_finding(
        article,
        span.start,
        span.end,
        guideline=span.guideline,
        severity=severity,
        message="labelled",
        method=Method.PATTERN,
    )


def complete(
    spec: AgentSpec,
    version: VersionStamp,
    labelled: LabelledSet,
    *,
    id: str,
    split: str,
    repeats: int,
    started: datetime,
    finished: datetime,
    results: tuple[ArticleResult, ...],
) -> Evaluation:
    """The record of a finished evaluation."""
    return Evaluation(
        id=id,
        set_name=labelled.name,
        split=split,
        set_digest=labelled.digest,
        version=version,
        model=spec.model.deployment if spec.model else "",
        guidelines={
            g.id: GuidelineFacts(title=g.title, category=g.category, severity=g.severity, digest=check_digest(spec, g))
            for g in spec.pack.guidelines
        },
        repeats=repeats,
        started=started,
        finished=finished,
        articles=tuple(labels_of(article, spec.pack.guidelines) for article in labelled.articles),
        results=results,
    )
