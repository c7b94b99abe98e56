"""Versions from MLflow as running agents. Imported by workers only: MLflow takes 200 MB and seconds."""

import asyncio
import logging
from collections import OrderedDict

from agent.check_cache import KeyValues
from agent.endpoint import Endpoint
from agent.formats.plain import read_plain
from agent.graph import Agent
from registry.connection import Registry
from registry.errors import NotTrusted, RegistryError, RegistryUnreachable, Ungated
from registry.standing import Champion, keep_champion, kept_champion, last_reign, standing
from registry.versions import load, load_version
from serving.evidence import Evidence, GuidelineEvidence, UnreadableDecision, figures_of
from serving.ports import Clock, ServedVersion

KEPT_AGENTS = 4
WARM_UP = read_plain("A short text warms what the first editor would wait for.", title="Warm")

logger = logging.getLogger(__name__)


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
        self._agents: OrderedDict[str, Agent] = OrderedDict()
        self._loading = asyncio.Lock()
        self._taken: Champion | None = None  # what serves
        self._evidence: Evidence | None = None  # and why
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
        return await self._serve(there.champion)

    async def agent(self, number: str) -> Agent:
        # A loaded one is at hand while another one, which takes seconds, is loaded.
        if (agent := self._agents.get(number)) is None:
            async with self._loading:
                if (agent := self._agents.get(number)) is None:
                    agent = await asyncio.to_thread(self._load, number)
                    self._keep(number, agent)
        self._agents.move_to_end(number)
        return agent

    async def _serve(self, found: Champion) -> ServedVersion:
        """Loads a champion, warms it and swaps; what serves before goes on until then."""
        number = str(found.version.number)
        async with self._loading:
            agent = self._agents.get(number)
            if agent is None:
                agent = await asyncio.to_thread(
                    load_version, self._registry, found.version, endpoint=self._endpoint, kept=self._kept
                )
                await _warm(agent)
                self._keep(number, agent)
        if found != self._taken:
            self._evidence = _evidence(found)
            await asyncio.to_thread(keep_champion, self._registry, found)
            self._taken = found
        # A promotion may be younger than the loaded agent.
        agent.stamp = agent.stamp.model_copy(
            update={"evidence": found.promotion.evidence, "record": found.signed_record.id}
        )
        return ServedVersion(agent.stamp, agent.spec.pack, champion=True, served=self._clock(), evidence=self._evidence)

    async def _from_before(self) -> Champion | None:
        """The champion that this machine served before."""
        try:
            return await asyncio.to_thread(kept_champion, self._registry)
        except (NotTrusted, Ungated) as error:
            logger.warning("the copy of the last champion is refused: %s", error)
            return None

    def _load(self, number: str) -> Agent:
        """A version that a job is bound to, stamped with what it was champion by."""
        agent = load(self._registry, number, endpoint=self._endpoint, kept=self._kept)
        try:
            reign = last_reign(self._registry, int(number))
        except RegistryUnreachable:
            return agent  # stamped as it was when MLflow last answered
        except RegistryError as error:
            logger.warning("version %s checks a job, and has no record: %s", number, error)
            agent.stamp = agent.stamp.model_copy(update={"evidence": "", "record": ""})
            return agent
        agent.stamp = agent.stamp.model_copy(
            update={"evidence": reign.promotion.evidence, "record": reign.signed_record.id}
        )
        return agent

    def _keep(self, number: str, agent: Agent) -> None:
        self._agents[number] = agent
        self._agents.move_to_end(number)
        while len(self._agents) > KEPT_AGENTS:
            self._agents.popitem(last=False)


async def _warm(agent: Agent) -> None:
    """One check by patterns alone: it compiles them, and asks no model for what nobody wrote."""
    await Agent(agent.spec.model_copy(update={"model": None})).check(WARM_UP)


def _evidence(found: Champion) -> Evidence:
    return Evidence(
        record=found.signed_record.id,
        signer=found.signed_record.key,
        statement=found.statement,
        promotion=found.promotion,
        approvers=found.approvers,
        figures=_figures(found),
    )


def _figures(found: Champion) -> tuple[GuidelineEvidence, ...]:
    try:
        return figures_of(found.decision)
    except UnreadableDecision as error:  # of another release: the version serves, its figures aren't shown
        logger.warning("version %s: %s", found.version.number, error)
        return ()
