"""Versions: that workers serve, as running agents, and what stands behind them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from agent.check import AnsweredBy
from agent.guideline import GuidelinePack
from agent.report import VersionStamp
from agent.spec import ModelSpec
from serving.evidence import Evidence
from serving.rulings import GateDecision

if TYPE_CHECKING:
    from agent.graph import Agent  # LangGraph stays out of the API's process


@dataclass(frozen=True, slots=True)
class BoundVersion:
    """A version as far as an article asks that is bound to it."""

    stamp: VersionStamp
    pack: GuidelinePack


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """A version that some worker can serve."""

    stamp: VersionStamp
    pack: GuidelinePack
    champion: bool
    served: datetime  # when a worker last said so
    evidence: Evidence | None = None  # None: of a worker of an earlier release
    prompts: Mapping[str, str] = field(default_factory=dict)  # guideline -> MLflow prompt URI, of prompt guidelines
    model: ModelSpec | None = None  # None: it declares none
    decision: GateDecision | None = None  # the gate's, as a worker tells it; `GateDecisions` reads it by its run

    @property
    def bound(self) -> BoundVersion:
        return BoundVersion(self.stamp, self.pack)

    @property
    def since(self) -> datetime:
        """When it was promoted, by the clock of who did; when a worker last told of it, where that isn't known."""
        promotion = self.evidence.promotion if self.evidence else None
        return promotion.at if promotion else self.served


class ServedVersions(Protocol):
    """The versions workers can serve, as the API knows them."""

    async def put(self, version: ServedVersion) -> None:
        """Says that a worker serves this version, as the champion or not.

        Who doesn't know that it became champion takes nothing from it.
        """

    async def heard(self, number: str, now: datetime) -> None:
        """Says that a worker still serves a version, whoever is champion by now."""

    async def champion(self) -> ServedVersion | None: ...

    async def get(self, number: str) -> ServedVersion | None: ...
    async def challenger(self, number: str) -> ServedVersion | None:
        """A version that isn't champion, where some worker serves or served it."""

    async def all(self) -> list[ServedVersion]: ...


class RegistryHints(Protocol):
    """Word that something in the registry has changed: a reason to look there now, never what to serve."""

    async def give(self, delivery: str, now: datetime) -> bool:
        """Tells all workers; False where they were told of this delivery before."""

    async def latest(self) -> int:
        """A number that grows with each; 0 where there was none lately."""


class Champion(Protocol):
    """Versions as running agents."""

    async def current(self) -> ServedVersion | None:
        """The champion if this worker can serve it."""

    async def agent(self, number: str) -> "Agent":
        """The agent of a version that may check an editor's article.

        Raises CopydeskError when it can't be loaded, or no record lets it serve.
        """


class Unseen(Protocol):
    """Versions as running agents, for what no editor sees."""

    async def unseen(self, number: str) -> "Agent":
        """The agent of any version, decided on or not; raises CopydeskError when it can't be loaded."""


class GateDecisions(Protocol):
    """What the gate ruled of versions that were served, claim by claim."""

    async def of(self, runs: Iterable[str]) -> dict[str, GateDecision]:
        """By the decision's run in MLflow, those that some worker told of."""


class EvidenceKept(Protocol):
    """What stands behind the versions that were served, and whether it still does."""

    async def of(self, number: str) -> Evidence | None: ...

    async def expire(self, number: str, reason: str, now: datetime, *, record: str) -> bool:
        """Says that it doesn't any more; False where that was said before, or nothing is known of the version."""

    async def note(self, number: str, answered: Iterable[AnsweredBy]) -> bool:
        """Keeps what else answered; False where all of it was noted before."""
