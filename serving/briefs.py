"""What a result says beside its report: what stands behind the findings, and what is new about them."""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.report import ComplianceReport
from agent.stored_article import load_article
from serving.changes import Before, Note, notes
from serving.job import Job
from serving.ports.jobs import JobStore
from serving.ports.runs import Trail
from serving.ports.storage import BlobStore
from serving.ports.versions import ServedVersion, ServedVersions
from serving.usecases.follow import Result

KEPT_RULES = 8  # versions


@dataclass(frozen=True, slots=True)
class Brief:
    """`version` is None where no worker tells of the version that checked."""

    version: ServedVersion | None
    notes: Mapping[str, Note]  # by fingerprint


class Briefs:
    """Reads nothing but what is in the database and the blob store."""

    def __init__(self, jobs: JobStore, blobs: BlobStore, versions: ServedVersions, trail: Trail) -> None:
        self._jobs, self._blobs, self._versions, self._trail = jobs, blobs, versions, trail
        self._rules: dict[str, dict[str, str]] = {}  # digest of a version -> its guidelines' digests

    async def of(self, result: Result) -> Brief:
        version = await self._versions.get(result.job.version)
        if version is None or version.stamp.digest != result.report.version.digest:
            return Brief(None, {})
        return Brief(version, await self._notes(result, version) if result.report.findings else {})

    async def _notes(self, result: Result, version: ServedVersion) -> dict[str, Note]:
        earlier = await self._trail.before(result.job)
        if earlier is None or earlier.version == result.job.version:
            return {}
        before = await self._before(earlier)
        return notes(before, self._rules_of(version), result.report.findings, result.article) if before else {}

    async def _before(self, job: Job) -> Before | None:
        """None where not all of it is there any more."""
        version, stored = await self._versions.get(job.version), await self._jobs.result(job.id)
        data = await self._blobs.get(job.blob)
        if version is None or stored is None or data is None:
            return None
        report = ComplianceReport.model_validate_json(stored)
        if version.stamp.digest != report.version.digest:
            return None
        return Before(
            rules=self._rules_of(version),
            checked=frozenset(outcome.guideline for outcome in report.outcomes),
            found=frozenset(finding.fingerprint for finding in report.findings),
            text=load_article(data).text,
        )

    def _rules_of(self, version: ServedVersion) -> dict[str, str]:
        """Kept: to reckon the digests of a pack takes longer than all the rest."""
        digest = version.stamp.digest
        if digest not in self._rules:
            while len(self._rules) >= KEPT_RULES:
                self._rules.pop(next(iter(self._rules)))
            self._rules[digest] = {guideline.id: guideline.digest for guideline in version.pack.guidelines}
        return self._rules[digest]
