"""Where a finding comes from."""

from agent.report import ComplianceReport
from agent.stored_article import load_article
from serving.errors import FindingNotFound, JobWithoutResult
from serving.feedback import document_of
from serving.job import REPORTED, Job
from serving.lineage import Lineage, lineage_of
from serving.ports.feedback import Feedback
from serving.ports.jobs import JobStore
from serving.ports.runs import Trail
from serving.ports.storage import BlobStore
from serving.ports.versions import GateDecisions, ServedVersions


async def explain(
    jobs: JobStore,
    blobs: BlobStore,
    feedback: Feedback,
    versions: ServedVersions,
    decisions: GateDecisions,
    trail: Trail,
    *,
    job: Job,
    finding: str,
) -> Lineage:
    """The chain behind the finding of this fingerprint; raises FindingNotFound and JobWithoutResult."""
    report = await report_of(jobs, job)
    found = next((each for each in report.findings if each.fingerprint == finding), None)
    if found is None:
        raise FindingNotFound(f"job {job.id} has no finding {finding!r}: its result lists those it has")
    data = await blobs.get(job.blob)
    served = await versions.get(job.version)
    decided = served.evidence.statement.run if served and served.evidence else ""
    return lineage_of(
        job,
        report,
        found,
        article=load_article(data) if data is not None else None,
        served=served,
        decision=(await decisions.of([decided])).get(decided),
        run=await trail.run_of(job.id),
        entries=await feedback.history(job.request.user, document_of(job), finding),
    )


async def report_of(jobs: JobStore, job: Job) -> ComplianceReport:
    """Raises JobWithoutResult."""
    stored = await jobs.result(job.id) if job.status in REPORTED else None
    if stored is None:
        raise JobWithoutResult(f"job {job.id} is {job.status} and has no report, so it has no findings")
    return ComplianceReport.model_validate_json(stored)
