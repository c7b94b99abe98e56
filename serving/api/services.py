"""What endpoints work with, put together once by `app`."""

from dataclasses import dataclass

from fastapi import Request

from serving.access.api_keys import ApiKeys
from serving.access.sign_in import SignIn
from serving.answers import Answers
from serving.dependencies import Dependencies
from serving.exposition import Exposition
from serving.metrics import ApiMetrics
from serving.ports.batches import Batches
from serving.ports.clocks import Clock
from serving.ports.control import Audit, RateLimits, Switches
from serving.ports.feedback import Approvals, Feedback, Figures
from serving.ports.jobs import Backlogs, JobStore
from serving.ports.runs import Runs, Trail
from serving.ports.storage import BlobStore, Cache
from serving.ports.versions import GateDecisions, RegistryHints, ServedVersions
from serving.settings import ServingSettings
from serving.tracing import Traces
from serving.traffic import Traffic
from serving.watch import Watch


@dataclass(frozen=True)
class Services:
    """The ports of the API's process."""

    settings: ServingSettings
    jobs: JobStore
    batches: Batches
    feedback: Feedback
    approvals: Approvals
    figures: Figures
    runs: Runs
    backlogs: Backlogs
    keys: ApiKeys
    blobs: BlobStore
    versions: ServedVersions
    decisions: GateDecisions
    trail: Trail
    hints: RegistryHints
    traffic: Traffic
    cache: Cache
    answers: Answers
    watch: Watch
    limits: RateLimits
    sign_in: SignIn
    audit: Audit
    switches: Switches
    metrics: ApiMetrics
    traces: Traces
    dependencies: Dependencies
    exposition: Exposition
    clock: Clock


async def services(request: Request) -> Services:
    """The services of the application that answers."""
    found: Services = request.app.state.services
    return found
