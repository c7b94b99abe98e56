"""Failures of the service that a client is told of.

CopydeskError
├── JobNotFound          no such job, or somebody else's
├── FindingNotFound      the job's report has no such finding
├── DismissalNotFound    no such dismissal that needs an approval
├── BatchNotFound        no such batch, or somebody else's
├── BatchRefused         some of a batch's articles can't be checked
├── BlobNotFound         no such file in the inbox
├── BlobStoreUnavailable articles can't be stored or read at present
├── BlobStoreUnusable    the blob store can't be used as it is named
├── NoChampion           no version is served yet
├── ChampionRefused      the registry says something that no signed record backs
├── NoWorker             no worker has been heard of lately
├── RateLimited          a user asks too often
├── QueueFull            too many jobs are waiting
├── Draining             no articles are accepted at present
├── IdempotencyConflict  the key was used for another request
├── BadRequest           the request can't be understood
├── JobEnded             the job can't be cancelled any more
├── JobWithoutResult     the job failed or was cancelled
├── RolloutRunning       another challenger is being rolled out
├── NoRollout            no rollout, or none that this can be done with
├── ShadowRunning        another challenger runs in the shadow
├── NoShadow             no challenger runs in the shadow
└── PortTaken            the API's address is in use
"""

from agent.errors import CopydeskError


class JobNotFound(CopydeskError):
    """No such job, or somebody else's."""

    type = "not-found"
    status = 404


class FindingNotFound(CopydeskError):
    """The job's report has no such finding."""

    type = "not-found"
    status = 404


class DismissalNotFound(CopydeskError):
    """No dismissal that stands and needs an approval."""

    type = "not-found"
    status = 404


class BatchNotFound(CopydeskError):
    """No such batch, or somebody else's."""

    type = "not-found"
    status = 404


class BatchRefused(CopydeskError):
    """Some of a batch's articles can't be checked, so none was accepted."""

    type = "batch-refused"
    status = 422


class BlobNotFound(CopydeskError):
    """There is no such file in the inbox of the blob store."""

    type = "blob-not-found"
    status = 404


class BlobStoreUnavailable(CopydeskError):
    """The blob store doesn't answer, or can't serve at present."""

    type = "blob-store-unavailable"
    status = 503
    outage = True
    retry_after = 5


class BlobStoreUnusable(CopydeskError):
    """The blob store can't be used as it is named, or refuses us."""

    type = "blob-store-unusable"
    status = 503
    outage = True
    retry_after = 60


class NoChampion(CopydeskError):
    """No version is served yet."""

    type = "no-champion"
    status = 503
    retry_after = 5


class ChampionRefused(CopydeskError):
    """The registry names a champion, or a promotion, that no signed record backs; the last verified one serves."""

    type = "champion-refused"
    status = 503


class NoWorker(CopydeskError):
    """No worker has been heard of lately, so articles would wait."""

    type = "no-worker"
    status = 503
    retry_after = 5


class QueueFull(CopydeskError):
    """Too many jobs are waiting."""

    type = "queue-full"
    status = 503
    retry_after = 10


class Draining(CopydeskError):
    """No articles are accepted at present: an administrator has said so."""

    type = "draining"
    status = 503
    retry_after = 60


class RateLimited(CopydeskError):
    """The user asks too often; `retry_after` seconds from now it is fine again."""

    type = "rate-limited"
    status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class IdempotencyConflict(CopydeskError):
    """The key was used for another request."""

    type = "idempotency-conflict"
    status = 409


class BadRequest(CopydeskError):
    """The request can't be understood."""

    type = "bad-request"
    status = 400


class JobEnded(CopydeskError):
    """The job can't be cancelled any more."""

    type = "job-ended"
    status = 409


class JobWithoutResult(CopydeskError):
    """The job failed or was cancelled, so it has no report."""

    type = "no-result"
    status = 409


class RolloutRunning(CopydeskError):
    """Another challenger is being rolled out."""

    type = "rollout-running"
    status = 409


class NoRollout(CopydeskError):
    """No rollout, or none that this can be done with."""

    type = "no-rollout"
    status = 409


class ShadowRunning(CopydeskError):
    """Another challenger runs in the shadow."""

    type = "shadow-running"
    status = 409


class NoShadow(CopydeskError):
    """No challenger runs in the shadow."""

    type = "no-shadow"
    status = 409


class PortTaken(CopydeskError):
    """The API's address is in use."""

    type = "port-taken"
