"""Status and result of a job as they are sent, kept ready in the cache.

A status is written to the cache with every change of the job, by whoever changes it, so that most questions never reach
the database. What is asked in vain is read there and kept.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Self

from agent.errors import CopydeskError
from serving.api.schemas import ResultOut, StatusOut
from serving.briefs import Briefs
from serving.errors import JobNotFound
from serving.job import Job, JobStatus
from serving.keys import RESULT_SECONDS, result_key, status_key, status_seconds
from serving.ports.feedback import Feedback
from serving.ports.jobs import JobStore
from serving.ports.storage import BlobStore, Cache
from serving.usecases import follow

PLACE_SECONDS = 1.0  # a place in the queue changes without the job


@dataclass(frozen=True, slots=True)
class Answer:
    """A body as it is sent, for one user."""

    user: str
    status: JobStatus
    revision: int  # of the job
    etag: str
    body: bytes

    @classmethod
    def of(cls, job: Job, body: bytes) -> Self:
        etag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
        return cls(job.request.user, job.status, job.revision, etag, body)

    def dump(self) -> bytes:
        return json.dumps([self.user, self.status, self.revision, self.etag]).encode() + b"\n" + self.body

    @classmethod
    def load(cls, data: bytes) -> Self:
        head, _, body = data.partition(b"\n")
        user, status, revision, etag = json.loads(head)
        return cls(user, JobStatus(status), revision, etag, body)


@dataclass(frozen=True, slots=True)
class Reported:
    """A result, and how it is sent."""

    result: follow.Result
    answer: Answer


class Answers:
    """`shared`: the cache is one with the workers'; else only what doesn't change any more is kept."""

    def __init__(
        self, jobs: JobStore, blobs: BlobStore, feedback: Feedback, cache: Cache, briefs: Briefs, *, shared: bool
    ) -> None:
        self._jobs = jobs
        self._blobs = blobs
        self._feedback = feedback
        self._cache = cache
        self._briefs = briefs
        self._shared = shared

    async def status(self, job_id: str, user: str) -> Answer:
        """Raises JobNotFound, also for somebody else's job."""
        return await self.told(job_id, user, await self.kept_status(job_id))

    async def kept_status(self, job_id: str) -> Answer | None:
        """Whosever it is: to be told by `told` alone."""
        kept = await self._cache.get(status_key(job_id))
        return Answer.load(kept) if kept else None

    async def told(self, job_id: str, user: str, kept: Answer | None) -> Answer:
        """A kept status, or as the database has it; raises JobNotFound, also for somebody else's job."""
        return _own(kept, job_id, user) if kept else await self.status_now(job_id, user)

    async def status_now(self, job_id: str, user: str) -> Answer:
        """As the database has it; raises JobNotFound."""
        standing = await follow.status(self._jobs, job_id=job_id, user=user)
        answer = _status(standing)
        if self._shared or standing.job.ended:
            seconds = status_seconds(standing.job.status) if standing.position is None else PLACE_SECONDS
            await self._keep(status_key(job_id), answer, standing.job, seconds)
        return answer

    async def result(self, job_id: str, user: str) -> Answer:
        """The status while there is no result yet; raises JobNotFound and JobWithoutResult."""
        if kept := await self._cache.get(result_key(job_id)):
            answer = _own(Answer.load(kept), job_id, user)
            if await self._is_current(answer, job_id):
                return answer
        found = await self.result_now(job_id, user)
        return _status(found) if isinstance(found, follow.Standing) else found.answer

    async def result_now(self, job_id: str, user: str) -> Reported | follow.Standing:
        """As the database has it; raises JobNotFound and JobWithoutResult."""
        found = await follow.result(self._jobs, self._blobs, self._feedback, job_id=job_id, user=user)
        if isinstance(found, follow.Standing):
            return found
        told = ResultOut.of(found, await self._briefs.of(found))
        answer = Answer.of(found.job, told.model_dump_json().encode())
        await self._keep(result_key(job_id), answer, found.job, RESULT_SECONDS)
        return Reported(found, answer)

    async def _is_current(self, answer: Answer, job_id: str) -> bool:
        """A decision about the document moves on the revision of each of its jobs: read from an index alone."""
        try:
            revisions = await self._jobs.revisions([job_id])
        except CopydeskError:  # better what was so a moment ago than nothing while the database is away
            return True
        return revisions.get(job_id) == answer.revision

    async def changed(self, job: Job) -> None:
        """To be called after each change of a job, by whoever changed it."""
        if job.status is JobStatus.QUEUED:  # its place is not known here
            await self._cache.drop(status_key(job.id), result_key(job.id))
        elif self._shared or job.ended:
            await self._keep(status_key(job.id), _status(follow.Standing(job, None)), job, status_seconds(job.status))

    async def forget(self, *job_ids: str) -> None:
        """Drops what is kept of jobs."""
        await self._cache.drop(*(key(job_id) for job_id in job_ids for key in (status_key, result_key)))

    async def _keep(self, key: str, answer: Answer, job: Job, seconds: float) -> None:
        await self._cache.put(key, answer.dump(), revision=job.revision, seconds=seconds)


def _status(standing: follow.Standing) -> Answer:
    return Answer.of(standing.job, StatusOut.of(standing).model_dump_json().encode())


def _own(answer: Answer, job_id: str, user: str) -> Answer:
    if answer.user != user:
        raise JobNotFound(follow.no_job(job_id))
    return answer
