"""Versions as agents: what is loaded is at hand."""

import asyncio
from pathlib import Path

from agent.check_cache import MemoryKeyValues
from agent.endpoint import Endpoint
from agent.settings import ModelSettings
from registry.connection import connect
from registry.settings import RegistrySettings
from serving.adapters.mlflow_versions import MlflowVersions
from serving.app import utc_now
from tests.serving.build import agent


async def test_a_loaded_agent_is_at_hand_while_another_one_is_loaded(tmp_path: Path) -> None:
    registry = connect(RegistrySettings(home=tmp_path / "mlflow"))
    versions = MlflowVersions(registry, utc_now, endpoint=Endpoint(ModelSettings()), kept=MemoryKeyValues())
    loaded = agent()
    versions._keep("1", loaded)
    async with versions._loading, asyncio.timeout(5):
        assert await versions.agent("1") is loaded
