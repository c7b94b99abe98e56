"""The champion's canaries as periodic work, by workers or `copydesk tick`.

What an evaluation needs is imported by the first look: a process that doesn't look doesn't hold it.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.endpoint import Endpoint
from registry.connection import Registry
from serving.adapters.sql_evidence import SqlEvidence
from serving.adapters.stores import WorkerStores
from serving.chores import Monitors
from serving.model_change import ExpiresOn
from serving.ports.monitors import Look, Monitor, Verdict
from serving.settings import ServingSettings
from serving.shared import Shared

AT_ONCE = 2  # articles: editors' are in the same worker


class CanarySettings(BaseSettings):
    """What the canaries are taken from, and how often the model is asked about them."""

    model_config = SettingsConfigDict(env_prefix="COPYDESK_CANARY_")

    set: Path | None = None  # a labelled set; None: nothing is asked but by `copydesk monitor canary`
    split: str = "test"
    articles: int = Field(default=20, ge=1)
    line: float = Field(default=0.8, ge=0, le=1)  # the part of the findings that must be the same as then
    hours: float = Field(default=24, ge=1)

    @field_validator("set")
    @classmethod
    def _is_there(cls, given: Path | None) -> Path | None:
        if given is not None and not given.exists():
            raise ValueError("there is no such labelled set: write the path of one, or leave it out")
        return given


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
        looked = await look(
            self._registry,
            CanaryTerms(self._labels, settings.split, settings.articles, settings.line),
            endpoint=self._endpoint,
            evidence=self._evidence,
            expires_on=self._expires_on,
            at_once=AT_ONCE,
        )
        version = f"version {looked.version}"
        if not looked.asks:
            return Look(Verdict.FINE, f"{version} asks no model, so nothing can drift")
        if looked.scored is None:
            return Look(Verdict.FINE, f"what {version} says today is what later days are held to")
        verdicts = {Outcome.SAME: Verdict.FINE, Outcome.CHANGED: Verdict.ALARM, Outcome.UNCLEAR: Verdict.UNCLEAR}
        said = f"{version} is {looked.scored.outcome}, {looked.scored.reason} (MLflow run {looked.run})"
        return Look(verdicts[looked.scored.outcome], said, soon=not looked.scored.agreement.is_answered)
