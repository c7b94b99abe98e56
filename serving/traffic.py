"""Whether an article is accepted and which version it is bound to: the champion, or the challenger of a rollout."""

from dataclasses import dataclass
from datetime import datetime

from agent.article import Article
from serving.job import Request
from serving.ports.clocks import Clock, Ticks
from serving.ports.intake import Intake
from serving.ports.rollouts import Rollouts
from serving.ports.versions import BoundVersion, ServedVersion, ServedVersions
from serving.rollout import Rollout
from serving.usecases.intake import must_be_open
from serving.usecases.readiness import SILENCE, must_be_served

KEPT_SECONDS = 1.0  # a rollout that is aborted gets articles for so long


@dataclass(frozen=True, slots=True)
class Split:
    """The champion, and the challenger that has a part of its articles."""

    champion: BoundVersion | None
    trial: tuple[Rollout, ServedVersion] | None
    now: datetime

    def version_of(self, article: Article, request: Request) -> BoundVersion:
        """Sticky by document, or by content where it has no id; raises NoChampion."""
        champion = must_be_served(self.champion)
        if self.trial is None:
            return champion
        rollout, challenger = self.trial
        # What an editor may ask for is what the champion checks.
        named = set(request.guidelines or ())
        fits = rollout.champion == champion.stamp.number and named <= {rule.id for rule in challenger.pack.guidelines}
        takes = fits and rollout.takes(request.document_id or article.content_hash)
        return challenger.bound if takes and _is_heard(challenger, self.now) else champion


class Traffic:
    """Asks the database for the rollout once in KEPT_SECONDS, however many articles come in."""

    def __init__(
        self, intake: Intake, rollouts: Rollouts, versions: ServedVersions, *, clock: Clock, ticks: Ticks
    ) -> None:
        self._intake, self._rollouts, self._versions = intake, rollouts, versions
        self._clock, self._ticks = clock, ticks
        self._kept: tuple[Rollout, ServedVersion] | None = None
        self._until = 0.0

    async def at_present(self) -> Split:
        """Raises Draining."""
        terms = await self._intake.terms()
        must_be_open(terms.drain)
        return Split(terms.champion, await self._active(), self._clock())

    async def _active(self) -> tuple[Rollout, ServedVersion] | None:
        if self._ticks() >= self._until:
            self._kept = await self._read()
            self._until = self._ticks() + KEPT_SECONDS
        return self._kept

    async def _read(self) -> tuple[Rollout, ServedVersion] | None:
        rollout = await self._rollouts.active()
        challenger = await self._versions.challenger(rollout.challenger) if rollout else None
        return (rollout, challenger) if rollout and challenger else None


def _is_heard(version: ServedVersion, now: datetime) -> bool:
    """An article that no worker would take would wait for ever."""
    return now - version.served <= SILENCE
