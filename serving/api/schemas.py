"""What crosses the wire. Offsets are Unicode code points, end exclusive."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, Tag, model_validator

from agent.article import Paragraph, ParagraphKind
from agent.check import AnsweredBy
from agent.finding import Severity
from agent.guideline import Guideline, Kind
from agent.report import ComplianceReport, VersionStamp
from registry.statement import Kind as EvidenceKind
from serving.api.feedback_schemas import DecidedOut
from serving.api.given import Given
from serving.briefs import Brief
from serving.changes import Note
from serving.evidence import Evidence, Expiry, Figure, GuidelineEvidence
from serving.inbox import INBOX, LONGEST_NAME, inbox_name
from serving.job import Job, JobStatus
from serving.ports.versions import ServedVersion
from serving.usecases.follow import Result, Standing

Language = Annotated[str, StringConstraints(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$", max_length=35)]
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=50)]
DocumentId = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=500)]  # PostgreSQL stores no NUL
InboxName = Annotated[
    str, AfterValidator(inbox_name), Field(json_schema_extra={"pattern": f"^{INBOX}.", "maxLength": LONGEST_NAME})
]
CallbackUrl = Annotated[str, StringConstraints(max_length=2000)]
Title = Annotated[str, StringConstraints(max_length=1000)]
GuidelineIds = Annotated[
    list[Annotated[str, StringConstraints(max_length=64)]], Field(min_length=1, max_length=1000, fail_fast=True)
]
MOST_PARAGRAPHS = 50_000  # of an article, empty ones too: four characters each of the most that are checked


class ParagraphIn(Given):
    """A paragraph with what it is in its document."""

    text: str
    kind: ParagraphKind = ParagraphKind.TEXT
    level: Annotated[int, Field(ge=0, le=6)] = 0  # of a heading


# The tag is what a mistake's place is called, in place of the validator's name.
Paragraphs = Annotated[
    list[str | Annotated[ParagraphIn, Tag("ParagraphIn")]], Field(max_length=MOST_PARAGRAPHS, fail_fast=True)
]


class ArticleIn(Given):
    """An article in one of five forms."""

    text: str | None = None  # plain text
    paragraphs: Paragraphs | None = None  # findings count paragraphs as they stand here
    html: str | None = None
    markdown: str | None = None
    blob: InboxName | None = None  # a file in the blob store's inbox, read by its extension: inbox/2026/11/report.docx

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = ("text", "paragraphs", "html", "markdown", "blob")
        given = [name for name in forms if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of text, paragraphs, html, markdown and blob, got {', '.join(given) or 'none'}"
            )
        return self


class Options(Given):
    """How an article is to be checked, whichever form it comes in."""

    title: Title = ""
    language: Language = ""  # BCP 47; empty: what the document says, else what it is found to be
    document_id: DocumentId = ""
    guidelines: GuidelineIds | None = None  # ids; null: all
    channel: Channel = "api"
    priority: Literal["interactive", "batch"] = "interactive"  # batch: behind what editors wait for
    callback_url: CallbackUrl = ""  # called, signed, when the job has ended; https


class CheckIn(Options):
    """A request to check an article."""

    article: ArticleIn


class Links(BaseModel):
    """Where to go on."""

    status: str
    result: str
    events: str

    @classmethod
    def of(cls, job: Job) -> Self:
        base = f"/api/v1/jobs/{job.id}"
        return cls(status=f"{base}/status", result=f"{base}/result", events=f"{base}/events")


class JobOut(BaseModel):
    """A job that was accepted."""

    job_id: str
    status: JobStatus
    duplicate: bool  # an earlier job stands for it: of the same Idempotency-Key, or of an equal article
    links: Links

    @classmethod
    def of(cls, job: Job, *, duplicate: bool) -> Self:
        return cls(job_id=job.id, status=job.status, duplicate=duplicate, links=Links.of(job))


class StatusOut(BaseModel):
    """Where a job is."""

    job_id: str
    status: JobStatus
    position: int | None = None  # in the queue, from 1
    done: int | None = None  # guidelines checked
    total: int | None = None
    guideline: str | None = None  # the one that finished last
    checked: list[str] = []  # those that finished, in the order they did
    reason: str | None = None  # why it failed
    version: str  # the version it is checked by
    document_id: str
    submitted: datetime
    started: datetime | None
    finished: datetime | None
    links: Links

    @classmethod
    def of(cls, standing: Standing) -> Self:
        job = standing.job
        return cls(
            job_id=job.id,
            status=job.status,
            position=standing.position,
            done=job.done if job.started else None,
            total=job.total,
            guideline=job.guideline or None,
            checked=list(job.checked),
            reason=job.reason or None,
            version=job.version,
            document_id=job.request.document_id,
            submitted=job.submitted,
            started=job.started,
            finished=job.finished,
            links=Links.of(job),
        )


class JobsOut(BaseModel):
    """A page of jobs."""

    jobs: list[StatusOut]
    next: str | None  # the cursor of the next page; null: this is the last one


class ParagraphOut(BaseModel):
    """A paragraph of the text the offsets count in."""

    index: int
    start: int
    end: int
    text: str
    kind: ParagraphKind
    level: int  # of a heading
    origin: int  # index in the document it came from, counting empty paragraphs

    @classmethod
    def of(cls, paragraph: Paragraph) -> Self:
        return cls(
            index=paragraph.index,
            start=paragraph.start,
            end=paragraph.end,
            text=paragraph.text,
            kind=paragraph.kind,
            level=paragraph.level,
            origin=paragraph.origin,
        )


class GuidelineLineage(BaseModel):
    """A guideline as the version has it, and what it was measured to be worth."""

    digest: str  # of everything that can change its checks
    prompt: str | None  # its version in MLflow, prompts:/house.attribution/3; null: it has none, or has patterns
    precision: Figure | None  # with its 95 % interval, on labelled articles; null: not measured
    recall: Figure | None


class LineageOut(BaseModel):
    """The short form of where findings come from; `GET .../findings/{finding}/why` has the whole chain.

    A finding's own part is `guidelines[finding.guideline]`: it is told once a guideline, because an article may have a
    hundred findings of one. It holds what is known when the result is asked for.
    """

    evidence: EvidenceKind | None  # what the version serves by; null: not known here
    ungated: bool | None  # true: no gate said that it may serve
    record: str | None  # id of the signed record
    guidelines: dict[str, GuidelineLineage]  # of those with findings in this report

    @classmethod
    def of(cls, version: ServedVersion, raised: Iterable[str]) -> Self:
        evidence = version.evidence
        told = {}
        for id in sorted(set(raised)):
            figures = evidence.for_guideline(id) if evidence else None
            told[id] = GuidelineLineage(
                digest=version.pack.by_id[id].digest,
                prompt=version.prompts.get(id),
                precision=figures.precision if figures else None,
                recall=figures.recall if figures else None,
            )
        return cls(
            evidence=evidence.statement.kind if evidence else None,
            ungated=evidence.is_ungated if evidence else None,
            record=evidence.record if evidence else None,
            guidelines=told,
        )


class ResultOut(BaseModel):
    """A report with the text it speaks of. Its score is that of the findings that count by now."""

    job_id: str
    report: ComplianceReport
    feedback: list[DecidedOut]  # what stands on its findings, also from earlier checks of the document
    text: str  # the canonical text: paragraphs joined by a blank line
    paragraphs: list[ParagraphOut]
    lineage: LineageOut | None  # null: no worker tells of the version any more
    # Fingerprint -> why it wasn't raised when this user's document was checked last, by another version. What isn't
    # listed was raised then, too, or there is nothing to say: no check before, or by this version.
    changes: dict[str, Note]

    @classmethod
    def of(cls, result: Result, brief: Brief) -> Self:
        paragraphs = [ParagraphOut.of(paragraph) for paragraph in result.article.paragraphs]
        return cls(
            job_id=result.job.id,
            report=result.report,
            feedback=[DecidedOut.of(entry) for entry in result.decided],
            text=result.article.text,
            paragraphs=paragraphs,
            lineage=LineageOut.of(brief.version, (finding.guideline for finding in result.report.findings))
            if brief.version
            else None,
            changes=dict(brief.notes),
        )


class GuidelineOut(BaseModel):
    """A guideline as editors read it."""

    id: str
    title: str
    category: str
    severity: Severity
    kind: Kind
    guidance: str
    link: str
    violations: list[str]
    compliant: list[str]

    @classmethod
    def of(cls, guideline: Guideline) -> Self:
        return cls.model_validate(guideline.model_dump(include=set(cls.model_fields)))


class GuidelinesOut(BaseModel):
    """The guidelines of the version that is served."""

    pack: str
    version: str
    guidelines: list[GuidelineOut]

    @classmethod
    def of(cls, version: ServedVersion) -> Self:
        guidelines = [GuidelineOut.of(guideline) for guideline in version.pack.guidelines]
        return cls(pack=version.pack.name, version=version.stamp.number, guidelines=guidelines)


class EvidenceOut(BaseModel):
    """Why a version serves: the signed record it was promoted by, and what the gate measured."""

    kind: EvidenceKind
    ungated: bool  # no gate said that it may serve
    outcome: str  # of the gate; empty where none was asked
    record: str
    signer: str  # id of the key that signed it
    decision: str  # its run in MLflow; empty where none was made
    labelled_set: str
    policy: str
    decided_by: str
    decided: datetime
    approved_by: list[str]
    promoted_by: str | None  # null: it serves a share of the articles by its decision, and nobody promoted it
    promoted: datetime | None
    previous: int | None  # the champion before
    reason: str  # of a forced promotion or a rollback
    figures: list[GuidelineEvidence]
    evaluation: str  # its run in MLflow; empty where none was made
    answered_by: list[AnsweredBy]  # what answered for the version's model when it was evaluated
    noted: list[AnsweredBy]  # what else has answered since
    expired: Expiry | None  # since when, and why, the evidence doesn't speak for what answers now; null: it holds

    @classmethod
    def of(cls, evidence: Evidence) -> Self:
        statement, promotion = evidence.statement, evidence.promotion
        return cls(
            kind=statement.kind,
            ungated=evidence.is_ungated,
            outcome=statement.outcome,
            record=evidence.record,
            signer=evidence.signer,
            decision=statement.run,
            labelled_set=statement.labelled_set,
            policy=statement.policy,
            decided_by=statement.who,
            decided=statement.made,
            approved_by=list(evidence.approvers),
            promoted_by=promotion.who if promotion else None,
            promoted=promotion.at if promotion else None,
            previous=promotion.previous if promotion else None,
            reason=statement.reason,
            figures=list(evidence.figures),
            evaluation=evidence.evaluation,
            answered_by=list(evidence.answered_by),
            noted=list(evidence.noted),
            expired=evidence.expired,
        )


class VersionOut(BaseModel):
    """A version that some worker serves."""

    champion: bool
    served: datetime
    guidelines: int
    version: VersionStamp
    evidence: EvidenceOut | None  # null: of a worker of an earlier release

    @classmethod
    def of(cls, version: ServedVersion) -> Self:
        return cls(
            champion=version.champion,
            served=version.served,
            guidelines=len(version.pack.guidelines),
            version=version.stamp,
            evidence=EvidenceOut.of(version.evidence) if version.evidence else None,
        )
