"""Versions from MLflow as running agents. Imported by workers only: MLflow takes 200 MB and seconds."""

import asyncio
from collections import OrderedDict

from agent.check_cache import KeyValues
from agent.endpoint import Endpoint
from agent.graph import Agent
from registry.aliases import champion
from registry.connection import Registry
from registry.errors import RegistryUnreachable
from registry.version import CHAMPION, RegisteredVersion
from registry.versions import load, remember
from serving.ports import Clock, ServedVersion

KEPT_AGENTS = 4


class MlflowVersions:
    """Loads each version once; MLflow's calls block, so they run in a thread.

    All versions share one endpoint, with its limits, and one store of finished checks.
    """

    def __init__(self, registry: Registry, clock: Clock, *, endpoint: Endpoint, kept: KeyValues) -> None:
        self._registry = registry
        self._clock = clock
        self._endpoint = endpoint
        self._kept = kept
        self._agents: OrderedDict[str, Agent] = OrderedDict()
        self._loading = asyncio.Lock()
        self._remembered: RegisteredVersion | None = None  # the champion, for a start while MLflow is down

    async def current(self) -> ServedVersion | None:
        try:
            version = await asyncio.to_thread(champion, self._registry)
        except RegistryUnreachable:
            if self._agents:  # what is loaded goes on serving
                raise
            return await self._from_before()
        if version is None:
            return None
        agent = await self.agent(str(version.number))
        if self._remembered != version:
            await asyncio.to_thread(remember, self._registry, CHAMPION, version)
            self._remembered = version
        # The promotion's evidence may be younger than the loaded agent.
        stamp = agent.stamp.model_copy(update={"evidence": version.evidence})
        agent.stamp = stamp
        return ServedVersion(stamp, agent.spec.pack, champion=True, served=self._clock())

    async def _from_before(self) -> ServedVersion:
        """The champion that this machine served before; raises RegistryUnreachable when there was none."""
        agent = await asyncio.to_thread(load, self._registry, CHAMPION, endpoint=self._endpoint, kept=self._kept)
        self._agents[agent.stamp.number] = agent
        return ServedVersion(agent.stamp, agent.spec.pack, champion=True, served=self._clock())

    async def agent(self, number: str) -> Agent:
        async with self._loading:
            if number not in self._agents:
                self._agents[number] = await asyncio.to_thread(
                    load, self._registry, number, endpoint=self._endpoint, kept=self._kept
                )
                while len(self._agents) > KEPT_AGENTS:
                    self._agents.popitem(last=False)
            self._agents.move_to_end(number)
            return self._agents[number]
