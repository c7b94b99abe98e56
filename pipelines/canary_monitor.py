"""The champion's canaries as periodic work, by workers or `copydesk tick`.

What an evaluation needs is imported by a process's first look: about 55 MB that others don't hold.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from agent.endpoint import Endpoint
from pipelines.canary_settings import CanarySettings
from registry.connection import Registry
from registry.errors import UnknownVersion
from serving.adapters.sql_evidence import SqlEvidence
from serving.adapters.stores import WorkerStores
from serving.chores import Monitors
from serving.model_change import ExpiresOn
from serving.ports.monitors import Look, Monitor, Verdict
from serving.settings import ServingSettings
from serving.shared import Shared


def monitors(wanted: CanarySettings) -> Monitors:
    """What makes those that are wanted, once the parts they look with are open."""

    def made(settings: ServingSettings, stores: WorkerStores, registry: Registry, between: Shared) -> Sequence[Monitor]:
        if wanted.set is None:
            return ()
        evidence = SqlEvidence(stores.database)
        return (CanaryMonitor(wanted, wanted.set, registry, between.endpoint, evidence, settings.evidence_expires_on),)

    return made


class CanaryMonitor:
    """Asks by the workers' own endpoint, and so within the model's limits that they share."""

    name = "canary"

    def __init__(
        self,
        settings: CanarySettings,
        labels: Path,
        registry: Registry,
        endpoint: Endpoint,
        evidence: SqlEvidence,
        expires_on: ExpiresOn,
    ) -> None:
        self._settings, self._labels = settings, labels
        self._registry, self._endpoint = registry, endpoint
        self._evidence, self._expires_on = evidence, expires_on
        self.every = timedelta(hours=settings.hours)

    async def look(self) -> Look:
        """Raises what `pipelines.canary.look` does."""
        await asyncio.to_thread(import_module, "pipelines.canary")  # takes a second; jobs go on
        from evaluation.canary import Outcome
        from pipelines.canary import CanaryTerms, look

        settings = self._settings
        try:
            looked = await look(
                self._registry,
                CanaryTerms(self._labels, settings.split, settings.articles, settings.line),
                endpoint=self._endpoint,
                evidence=self._evidence,
                expires_on=self._expires_on,
                gently=True,
            )
        except UnknownVersion as error:
            return Look(Verdict.UNCLEAR, str(error), soon=True)
        version = f"version {looked.version}"
        if not looked.asks:
            return Look(Verdict.FINE, f"{version} asks no model, so nothing can drift")
        if looked.scored is None:
            return Look(Verdict.FINE, f"what {version} says today is what later days are held to")
        verdicts = {Outcome.SAME: Verdict.FINE, Outcome.CHANGED: Verdict.ALARM, Outcome.UNCLEAR: Verdict.UNCLEAR}
        found, outcome = looked.scored.agreement, looked.scored.outcome
        said = f"{version} is {outcome}, {looked.scored.reason}; {looked.logged}"
        if outcome is Outcome.CHANGED:
            said += "; its evidence has expired: docs/lineage.md says how to renew it"
        return Look(verdicts[outcome], said, soon=2 * found.failed > found.checks)
