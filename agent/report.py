"""The compliance report of one article: what was checked, how, what was found, what it comes to."""

from collections import Counter
from collections.abc import Collection, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, computed_field

from agent.article import Article
from agent.check import Check, Usage, Verdict
from agent.finding import Finding, Method, Severity
from agent.guideline import Guideline
from agent.score import Band, Score, band, score

DONE = frozenset({Verdict.CLEAR, Verdict.FINDINGS})


class ReportStatus(StrEnum):
    """Whether every guideline was checked the way the version says."""

    COMPLETE = "complete"
    PARTIAL = "partial"  # some guideline failed, wasn't checked, or was checked by its fallback
    FAILED = "failed"  # no guideline that applies could be checked


class VersionStamp(BaseModel):
    """The version of the agent that made a report."""

    model_config = ConfigDict(frozen=True)

    name: str = ""  # as registered: copydesk-agent
    number: str = ""  # as registered; empty when the agent runs from files
    digest: str
    code_digest: str
    pack: str
    pack_digest: str
    evidence: str = ""  # the gate decision it was promoted with: "forced: reason", or empty when there is none
    record: str = ""  # id of the signed record of that


class ArticleFacts(BaseModel):
    """What was checked."""

    model_config = ConfigDict(frozen=True)

    title: str
    language: str
    content_hash: str
    words: int
    characters: int


class GuidelineOutcome(BaseModel):
    """How one guideline came out."""

    model_config = ConfigDict(frozen=True)

    guideline: str
    title: str
    category: str
    severity: Severity
    verdict: Verdict
    method: Method | None
    reason: str
    findings: int
    unanchored: int
    usage: Usage = Usage()
    kept: int = 0  # paragraphs whose verdict was kept from an earlier check
    windows: int = 1  # calls that the article's length was split over
    extract: float | None = None  # the part of a long article that was read, 0-1; None when all of it was
    seconds: float


class ComplianceReport(BaseModel):
    """Everything an editor, the store and MLflow are told about one checked article."""

    model_config = ConfigDict(frozen=True)

    status: ReportStatus
    score: Score | None  # None when no guideline was checked
    band: Band | None
    article: ArticleFacts
    version: VersionStamp
    findings: tuple[Finding, ...]  # in reading order
    outcomes: tuple[GuidelineOutcome, ...]  # in the pack's order
    unanchored: int
    usage: Usage
    seconds: float

    @property
    def has_breach(self) -> bool:
        return any(finding.severity is Severity.BREACH for finding in self.findings)

    @property
    def unchecked(self) -> tuple[GuidelineOutcome, ...]:
        """The guidelines that were not checked as the version says, each with its reason."""
        return tuple(outcome for outcome in self.outcomes if _is_gap(outcome.verdict, outcome.method))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def remarks(self) -> tuple[str, ...]:
        """What an editor should know of how a long article was read."""
        extracts = [outcome for outcome in self.outcomes if outcome.extract is not None]
        said = []
        if extracts:
            part = min(outcome.extract or 0 for outcome in extracts)
            titles = ", ".join(outcome.title for outcome in extracts)
            said.append(f"The article is long, so these were judged on {part:.0%} of it, word for word: {titles}.")
        if (windows := max((outcome.windows for outcome in self.outcomes), default=1)) > 1:
            said.append(f"The article is long, so the model read it in {windows} parts that overlap.")
        return tuple(said)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def kept(self) -> int:
        """Verdicts on paragraphs that were kept from earlier checks."""
        return sum(outcome.kept for outcome in self.outcomes)

    def without(self, dismissed: Collection[str]) -> "ComplianceReport":
        """The report with the score that is left when the findings with these fingerprints don't count.

        They stay among the findings; the outcomes stay as they were checked.
        """
        if self.score is None:
            return self
        counting = [finding for finding in self.findings if finding.fingerprint not in dismissed]
        done = sum(outcome.verdict in DONE for outcome in self.outcomes)
        total = score(counting, words=self.article.words, checked=done)
        complete = self.status is ReportStatus.COMPLETE
        return self.model_copy(update={"score": total, "band": band(total.value, complete=complete)})

    def by_severity(self) -> dict[Severity, int]:
        counts = Counter(finding.severity for finding in self.findings)
        return {severity: counts[severity] for severity in (Severity.BREACH, Severity.WARNING, Severity.ADVICE)}


def build_report(
    article: Article,
    guidelines: Sequence[Guideline],
    checks: Sequence[Check],
    *,
    version: VersionStamp,
    seconds: float,
) -> ComplianceReport:
    """Puts the checks of an article together; `checks` has one per guideline, in their order."""
    findings = sorted(
        (finding for check in checks for finding in check.findings),
        key=lambda finding: (finding.start, finding.end, finding.guideline),
    )
    done = [check for check in checks if check.verdict in DONE]
    gaps = any(_is_gap(check.verdict, check.method) for check in checks)
    status = ReportStatus.PARTIAL if gaps else ReportStatus.COMPLETE
    if gaps and not done:
        status = ReportStatus.FAILED
    total = score(findings, words=article.words, checked=len(done)) if done else None
    return ComplianceReport(
        status=status,
        score=total,
        band=band(total.value, complete=status is ReportStatus.COMPLETE) if total else None,
        article=ArticleFacts(
            title=article.title,
            language=article.language,
            content_hash=article.content_hash,
            words=article.words,
            characters=len(article.text),
        ),
        version=version,
        findings=tuple(findings),
        outcomes=tuple(
            GuidelineOutcome(
                guideline=guideline.id,
                title=guideline.title,
                category=guideline.category,
                severity=guideline.severity,
                verdict=check.verdict,
                method=check.method,
                reason=check.reason,
                findings=len(check.findings),
                unanchored=check.unanchored,
                usage=check.usage,
                kept=check.kept,
                windows=check.windows,
                extract=check.extract,
                seconds=round(check.seconds, 6),
            )
            for guideline, check in zip(guidelines, checks, strict=True)
        ),
        unanchored=sum(check.unanchored for check in checks),
        usage=sum((check.usage for check in checks), Usage()),
        seconds=round(seconds, 6),
    )


def _is_gap(verdict: Verdict, method: Method | None) -> bool:
    return verdict in (Verdict.FAILED, Verdict.NOT_CHECKED) or method is Method.FALLBACK
