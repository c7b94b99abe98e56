"""Where a finding comes from, link by link; made from values, and told as JSON by the API and on a terminal."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from agent.article import Article
from agent.check import AnsweredBy
from agent.finding import Finding, Method, Severity
from agent.guideline import Guideline, Kind, Scope
from agent.report import ComplianceReport, GuidelineOutcome, VersionStamp
from agent.spec import ModelSpec
from registry.statement import DECIDED
from registry.statement import Kind as EvidenceKind
from serving.evidence import Evidence, Expiry, Figure
from serving.feedback import Action, Entry, Reason, State
from serving.job import Job
from serving.ports.versions import ServedVersion
from serving.rulings import GateDecision, Ruling


class Words(BaseModel):
    """The exact words, where they stand. Offsets are code points, end exclusive."""

    model_config = ConfigDict(frozen=True)

    quote: str
    start: int
    end: int
    paragraph: int  # index in the document it came from
    passage: str | None  # the paragraph; null: the article is no longer kept
    at: int  # of the quote in the passage
    severity: Severity
    message: str
    suggestions: tuple[str, ...]

    @classmethod
    def of(cls, finding: Finding, article: Article | None) -> Self:
        paragraph = article.paragraph_at(finding.start) if article else None
        return cls(
            quote=finding.quote,
            start=finding.start,
            end=finding.end,
            paragraph=finding.paragraph,
            passage=article.text[paragraph.start : max(paragraph.end, finding.end)] if article and paragraph else None,
            at=finding.start - paragraph.start if paragraph else 0,
            severity=finding.severity,
            message=finding.message,
            suggestions=finding.suggestions,
        )


class Rule(BaseModel):
    """The guideline as the version has it."""

    model_config = ConfigDict(frozen=True)

    guideline: str
    title: str
    kind: Kind | None  # null, with the two that follow: no worker tells of this version any more
    scope: Scope | None
    digest: str | None  # of everything that can change a check
    prompt: str | None  # its version in MLflow: prompts:/house.attribution/3; null: patterns have none

    @classmethod
    def of(cls, outcome: GuidelineOutcome, guideline: Guideline | None, prompt: str | None) -> Self:
        return cls(
            guideline=outcome.guideline,
            title=outcome.title,
            kind=guideline.kind if guideline else None,
            scope=guideline.scope if guideline else None,
            digest=guideline.digest if guideline else None,
            prompt=prompt,
        )


class Judged(BaseModel):
    """How it was found: by a model, by patterns, or by patterns in a model's place."""

    model_config = ConfigDict(frozen=True)

    method: Method
    model: ModelSpec | None  # that the version declares, with its parameters; null: none
    answered_by: tuple[AnsweredBy, ...]  # model ids and fingerprints as the endpoint told them
    kept: int  # paragraphs whose verdict was kept from an earlier check: what answered then isn't known
    reason: str  # why the model wasn't used, where it fell back


class Measured(BaseModel):
    """What the version reached on labelled violations of the guideline."""

    model_config = ConfigDict(frozen=True)

    labelled_set: str
    evaluation: str  # MLflow run; empty: the decision of an earlier release doesn't name it
    answered_by: tuple[AnsweredBy, ...]
    labelled: float | None  # violations; null, with the rest: the guideline has no figures
    precision: Figure | None
    recall: Figure | None


class Decided(BaseModel):
    """The gate's decision, signed."""

    model_config = ConfigDict(frozen=True)

    outcome: str
    against: int | None  # the champion it was held against; null: there was none, or it isn't told here
    first: bool = False  # there was none: the floors alone decided
    policy: str
    set_digest: str
    run: str  # in MLflow
    who: str
    at: datetime
    approved_by: tuple[str, ...]
    ruling: str | None  # on the finding's guideline, in words; null: not told of this decision
    rulings: tuple[Ruling, ...]  # with their figures, recall first; empty: nothing was claimed of the guideline


class Promoted(BaseModel):
    """How the version became champion."""

    model_config = ConfigDict(frozen=True)

    kind: EvidenceKind
    ungated: bool  # no gate said that it may serve
    evidence: str  # in words
    reason: str  # of force, or of going back
    who: str
    at: datetime
    previous: int | None
    record: str  # id of the signed record
    signer: str  # id of the key
    same_record: bool  # false: the article was checked under another promotion of this version


class Said(BaseModel):
    """What the article's editor said of the finding, one entry after the other."""

    model_config = ConfigDict(frozen=True)

    action: Action
    state: State
    reason: Reason | None
    comment: str
    who: str
    at: datetime
    job_id: str

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(
            action=entry.decision.action,
            state=entry.state,
            reason=entry.decision.reason,
            comment=entry.decision.comment,
            who=entry.user,
            at=entry.at,
            job_id=entry.job_id,
        )


class Lineage(BaseModel):
    """The chain behind one finding. What isn't there is null, and `gaps` says why in sentences."""

    model_config = ConfigDict(frozen=True)

    finding: str  # fingerprint
    job_id: str
    document_id: str
    title: str
    checked: datetime | None
    words: Words
    rule: Rule
    judged: Judged
    version: VersionStamp
    measured: Measured | None
    decided: Decided | None
    promoted: Promoted | None
    expired: Expiry | None  # the evidence doesn't speak for what answers now
    noted: tuple[AnsweredBy, ...]  # what else has answered since the evaluation
    run: str | None  # of the job in MLflow; null: not logged yet
    feedback: tuple[Said, ...]
    gaps: tuple[str, ...]


def lineage_of(
    job: Job,
    report: ComplianceReport,
    finding: Finding,
    *,
    article: Article | None,
    served: ServedVersion | None,
    decision: GateDecision | None,
    run: str,
    entries: Sequence[Entry],
) -> Lineage:
    """`served` is the version that checked, as workers tell it, and `decision` the gate's that it serves by.

    `run` is empty while MLflow hasn't been told.
    """
    outcome = next(each for each in report.outcomes if each.guideline == finding.guideline)
    if served is not None and served.stamp.digest != report.version.digest:
        served = None  # another registry's version of this number
    evidence = served.evidence if served else None
    return Lineage(
        finding=finding.fingerprint,
        job_id=job.id,
        document_id=job.request.document_id,
        title=report.article.title,
        checked=job.finished,
        words=Words.of(finding, article),
        rule=Rule.of(
            outcome,
            served.pack.by_id.get(finding.guideline) if served else None,
            served.prompts.get(finding.guideline) if served else None,
        ),
        judged=Judged(
            method=finding.method,
            model=served.model if served else None,
            answered_by=outcome.usage.answered_by if finding.method is Method.MODEL else (),
            kept=outcome.kept,
            reason=outcome.reason,
        ),
        version=report.version,
        measured=_measured(evidence, finding.guideline),
        decided=_decided(evidence, decision, finding.guideline),
        promoted=_promoted(evidence, report.version.record),
        expired=evidence.expired if evidence else None,
        noted=evidence.noted if evidence else (),
        run=run or None,
        feedback=tuple(map(Said.of, entries)),
        gaps=tuple(_gaps(report, outcome, finding, served, article, run)),
    )


def _measured(evidence: Evidence | None, guideline: str) -> Measured | None:
    if evidence is None or not evidence.statement.run:
        return None
    figures = evidence.for_guideline(guideline)
    return Measured(
        labelled_set=evidence.statement.labelled_set,
        evaluation=evidence.evaluation,
        answered_by=evidence.answered_by,
        labelled=figures.labelled if figures else None,
        precision=figures.precision if figures else None,
        recall=figures.recall if figures else None,
    )


def _decided(evidence: Evidence | None, decision: GateDecision | None, guideline: str) -> Decided | None:
    if evidence is None or not evidence.statement.run:
        return None
    statement, ruled = evidence.statement, decision.on(guideline) if decision else None
    against, first = statement.champion, statement.kind is EvidenceKind.FIRST
    if statement.kind not in DECIDED:  # it goes back to what was decided then
        against = int(decision.against) if decision and decision.against else None
        first = decision is not None and decision.against is None
    return Decided(
        outcome=statement.outcome,
        against=against,
        first=first,
        policy=statement.policy,
        set_digest=statement.set_digest,
        run=statement.run,
        who=statement.who,
        at=statement.made,
        approved_by=evidence.approvers,
        ruling=ruled.words if ruled else None,
        rulings=ruled.rulings if ruled else (),
    )


def _promoted(evidence: Evidence | None, record: str) -> Promoted | None:
    promotion = evidence.promotion if evidence else None
    if evidence is None or promotion is None:
        return None
    return Promoted(
        kind=promotion.kind,
        ungated=promotion.is_ungated,
        evidence=promotion.evidence,
        reason=promotion.reason,
        who=promotion.who,
        at=promotion.at,
        previous=promotion.previous,
        record=evidence.record,
        signer=evidence.signer,
        same_record=record in ("", evidence.record),
    )


def _gaps(
    report: ComplianceReport,
    outcome: GuidelineOutcome,
    finding: Finding,
    served: ServedVersion | None,
    article: Article | None,
    run: str,
) -> Iterable[str]:
    version = report.version
    name = f"version {version.number}" if version.number else f"pack {version.pack} from files"
    if article is None:
        yield "the article is no longer kept, so its paragraph can't be shown"
    if served is None:
        yield f"no worker tells of {name} with digest {version.digest[:12]} any more: its guideline can't be shown"
    if finding.method is Method.MODEL and not outcome.usage.answered_by:
        yield "the verdict was kept from an earlier check, and what answered then was not"
    evidence = served.evidence if served else None
    if evidence is None:
        yield f"nothing is known here of how {name} was evaluated and promoted"
    elif not evidence.statement.run:
        forced = evidence.statement
        yield f"{name} was promoted without an evaluation: forced by {forced.who}, {forced.reason!r}"
    elif (figures := evidence.for_guideline(finding.guideline)) is None:
        yield f"the evaluation has no figures for {finding.guideline}"
    elif figures.precision.value is None:
        yield f"precision is undefined: the evaluation raised nothing for {finding.guideline}"
    if evidence is not None and evidence.promotion is None:
        yield f"no promotion stands behind {name}: by its decision it serves a share of the articles, in a rollout"
    if not run:
        yield "MLflow has no run of this job yet"
