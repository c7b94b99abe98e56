"""Versions from MLflow as running agents. Imported by workers only: MLflow takes 200 MB and seconds."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from agent.check_cache import KeyValues
from agent.endpoint import Endpoint
from agent.formats.plain import read_plain
from agent.graph import Agent
from registry.connection import Registry
from registry.decisions import decision_text
from registry.errors import DigestMismatch, NotTrusted, RegistryUnreachable, Ungated, UnknownVersion
from registry.signatures import Signed
from registry.standing import Champion, keep_champion, keep_reign, kept_champion, kept_reign, last_reign, standing
from registry.statement import Promotion, Statement
from registry.trials import Tried, evidence_of, newest_record, tried
from registry.version import RegisteredVersion
from registry.versions import describe, load, load_version
from serving.evidence import Evidence, UnreadableDecision, measured_of
from serving.ports.clocks import Clock
from serving.ports.versions import ServedVersion
from serving.rollout import Rollout
from serving.rulings import GateDecision, decision_of

KEPT_AGENTS = 4
WARM_UP = read_plain("A short text warms what the first editor would wait for.", title="Warm")

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Behind(NamedTuple):
    """What stands behind a version."""

    evidence: Evidence
    decision: GateDecision | None


class MlflowVersions:
    """Loads each version once; MLflow's calls block, so they run in a thread.

    The champion is the one that signed records name. `refusal` says what in the registry was refused at the last look,
    and is empty where all agreed. All versions share one endpoint, with its limits, and one store of finished checks.
    """

    def __init__(self, registry: Registry, clock: Clock, *, endpoint: Endpoint, kept: KeyValues) -> None:
        self.refusal = ""
        self._registry = registry
        self._clock = clock
        self._endpoint = endpoint
        self._kept = kept
        self._agents: OrderedDict[str, Agent] = OrderedDict()  # records let these serve
        self._unseen: tuple[str, Agent] | None = None  # the one that checks in the shadow
        self._loading = asyncio.Lock()
        self._taken: Champion | None = None  # what serves
        self._behind: Behind | None = None  # and why
        self._tried: Tried | None = None  # what serves a share
        self._behind_tried: Behind | None = None
        self._newest: Champion | None = None  # never to go back behind, also where this worker can't load it

    async def current(self) -> ServedVersion | None:
        if self._newest is None:
            self._newest = await self._from_before()
        try:
            there = await asyncio.to_thread(standing, self._registry, taken=self._newest, now=self._clock())
        except RegistryUnreachable:
            if self._taken or self._newest is None:  # what is loaded goes on serving
                raise
            return await self._serve(self._newest)
        self.refusal = there.refusal
        if there.champion is None:
            return None
        self._newest = there.champion
        try:
            return await self._serve(there.champion)
        except DigestMismatch as error:
            self.refusal = str(error)
            raise

    async def challenger(self, rollout: Rollout) -> ServedVersion | None:
        """The challenger of a rollout, loaded; None where another version than the rollout's champion is champion.

        The champion may be of another release, which this worker can't load.

        Raises NotTrusted and Ungated where its records don't let it serve, and CopydeskError when it can't be loaded.
        """
        champion = self._newest
        if champion is None or str(champion.version.number) != rollout.champion:
            return None
        found = await asyncio.to_thread(
            tried,
            self._registry,
            rollout.signed,
            rollout=rollout.id,
            terms=rollout.policy.digest,
            number=int(rollout.challenger),
            champion=champion,
            now=self._clock(),
        )
        async with self._loading:
            agent = await self._warmed(found.version)
        if found != self._tried:
            decision = await asyncio.to_thread(decision_text, self._registry, found.record.statement)
            approvers = tuple(approval.who for approval in found.record.approvals)
            self._behind_tried = _behind(found.version.number, found.record.signed, approvers, decision)
            self._tried = found
        agent = self._stamped(agent, evidence=evidence_of(found.record), record=found.record.id)
        return self._told(agent, self._behind_tried, champion=False)

    async def agent(self, number: str) -> Agent:
        # A loaded one is at hand while another one, which takes seconds, is loaded.
        if (agent := self._agents.get(number)) is None:
            async with self._loading:
                if (agent := self._agents.get(number)) is None:
                    agent = await asyncio.to_thread(self._load, number)
                    self._keep(number, agent)
        self._agents.move_to_end(number)
        return agent

    async def unseen(self, number: str) -> Agent:
        if (agent := self._agents.get(number)) is not None:
            return agent
        if self._unseen is None or self._unseen[0] != number:
            async with self._loading:
                loaded = await asyncio.to_thread(self._loaded, load, number)
            self._unseen = number, loaded
        return self._unseen[1]

    async def _serve(self, found: Champion) -> ServedVersion:
        """Loads a champion, warms it and swaps; what serves before goes on until then."""
        async with self._loading:
            agent = await self._warmed(found.version)
        if found != self._taken:
            self._behind = _behind(
                found.version.number, found.signed_record, found.approvers, found.decision, found.promotion
            )
            await asyncio.to_thread(keep_champion, self._registry, found)
            self._taken = found
        # A promotion may be younger than the loaded agent.
        agent = self._stamped(agent, evidence=found.promotion.evidence, record=found.signed_record.id)
        return self._told(agent, self._behind, champion=True)

    def _told(self, agent: Agent, behind: Behind | None, *, champion: bool) -> ServedVersion:
        return ServedVersion(
            agent.stamp,
            agent.spec.pack,
            champion=champion,
            served=self._clock(),
            evidence=behind.evidence if behind else None,
            prompts=agent.spec.prompt_versions,
            model=agent.spec.model,
            decision=behind.decision if behind else None,
        )

    async def _from_before(self) -> Champion | None:
        """The champion that this machine served before."""
        try:
            return await asyncio.to_thread(kept_champion, self._registry)
        except (NotTrusted, Ungated) as error:
            logger.warning("the copy of the last champion is refused: %s", error)
            return None

    async def _warmed(self, version: RegisteredVersion) -> Agent:
        number = str(version.number)
        if (agent := self._agents.get(number)) is None:
            agent = await asyncio.to_thread(self._loaded, load_version, version)
            await _warm(agent)
            self._keep(number, agent)
        return agent

    def _stamped(self, agent: Agent, **served_by: str) -> Agent:
        """From now on jobs get it so; those that run keep the stamp they began under."""
        stamp = agent.stamp.model_copy(update=served_by)
        if stamp != agent.stamp:
            agent = agent.stamped(stamp)
            self._keep(stamp.number, agent)
        return agent

    def _load(self, number: str) -> Agent:
        """A version that a job is bound to, stamped with what it was champion by, or serves its share by.

        A job can name any version, whoever wrote it into the database: raises NotTrusted where neither lets it serve.
        """
        evidence, record = self._lets_serve(number)
        agent = self._loaded(load, number)
        agent.stamp = agent.stamp.model_copy(update={"evidence": evidence, "record": record})
        return agent

    def _loaded(self, by: Callable[..., Agent], version: RegisteredVersion | str) -> Agent:
        """In a thread: the client of a model alone takes seconds, in which no lease would be renewed."""
        agent = by(self._registry, version, endpoint=self._endpoint, kept=self._kept)
        if agent.spec.model is not None:
            self._endpoint.prepare()
        return agent

    def _lets_serve(self, number: str) -> tuple[str, str]:
        """Evidence, and the id of its record."""
        if not number.isdecimal():
            raise UnknownVersion(f"a job names its version by a number, this one {number!r}: submit the article again")
        try:
            reign = last_reign(self._registry, int(number))
        except RegistryUnreachable:
            kept = kept_reign(self._registry, int(number))
            if kept is None:
                raise
            reign = kept
        except (NotTrusted, Ungated) as never:
            return self._decided(number, never)
        else:
            keep_reign(self._registry, reign)
        return reign.promotion.evidence, reign.signed_record.id

    def _decided(self, number: str, never: Exception) -> tuple[str, str]:
        try:
            record = newest_record(self._registry, describe(self._registry, number))
        except (NotTrusted, Ungated) as error:
            raise NotTrusted(f"version {number} may check no article: {never}; and {error}") from error
        return evidence_of(record), record.id

    def _keep(self, number: str, agent: Agent) -> None:
        self._agents[number] = agent
        self._agents.move_to_end(number)
        while len(self._agents) > KEPT_AGENTS:
            self._agents.popitem(last=False)


async def _warm(agent: Agent) -> None:
    """One check by patterns alone: it compiles them, and asks no model for what nobody wrote."""
    await Agent(agent.spec.model_copy(update={"model": None})).check(WARM_UP)


def _behind(
    number: int, record: Signed, approvers: tuple[str, ...], decision: str, promotion: Promotion | None = None
) -> Behind:
    measured = _read(measured_of, decision, number) or measured_of("")
    evidence = Evidence(
        record=record.id,
        signer=record.key,
        statement=Statement.model_validate(record.body),
        promotion=promotion,
        approvers=approvers,
        figures=measured.figures,
        evaluation=measured.evaluation,
        answered_by=measured.answered_by,
    )
    return Behind(evidence, _read(decision_of, decision, number))


def _read(read: Callable[[str], T], decision: str, number: int) -> T | None:
    try:
        return read(decision)
    except UnreadableDecision as error:  # of another release: the version serves, what it says isn't shown
        logger.warning("version %d: %s", number, error)
        return None
