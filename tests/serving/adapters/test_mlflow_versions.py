"""Versions as agents: what is loaded is at hand, and what no record lets serve checks no article."""

import asyncio
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from agent.check_cache import MemoryKeyValues
from agent.endpoint import Endpoint
from agent.settings import ModelSettings
from agent.spec import AgentSpec
from registry.aliases import promote
from registry.connection import Registry, connect
from registry.errors import DigestMismatch, NotTrusted, RegistryUnreachable, UnknownVersion
from registry.settings import RegistrySettings
from registry.versions import register
from serving.adapters.mlflow_versions import MlflowVersions
from serving.app import utc_now
from tests.agent.build import guideline, pack
from tests.registry.decided import decide
from tests.registry.meanwhile import failing
from tests.serving.build import agent

DOWN = MlflowException("API request to http://mlflow.example failed")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Version 1 is champion, version 2 is registered."""
    found = connect(RegistrySettings(home=tmp_path / "mlflow"))
    for title in ("One", "Two"):
        register(found, AgentSpec(pack=pack(guideline(title=title))))
    promote(found, 1, force_reason="a test", who="ada")
    return found


def versions_of(registry: Registry) -> MlflowVersions:
    return MlflowVersions(registry, utc_now, endpoint=Endpoint(ModelSettings()), kept=MemoryKeyValues())


async def test_a_loaded_agent_is_at_hand_while_another_one_is_loaded(tmp_path: Path) -> None:
    versions = versions_of(connect(RegistrySettings(home=tmp_path / "mlflow")))
    loaded = agent()
    versions._keep("1", loaded)
    async with versions._loading, asyncio.timeout(5):
        assert await versions.agent("1") is loaded


async def test_a_job_gets_no_version_that_no_record_lets_serve(registry: Registry) -> None:
    versions = versions_of(registry)
    told = "version 2 may check no article: version 2 was never champion by a record that holds.*has no gate decision"
    assert (await versions.unseen("2")).stamp.number == "2"
    with pytest.raises(NotTrusted, match=told):
        await versions.agent("2")
    with pytest.raises(UnknownVersion, match="this one 'champion'"):
        await versions.agent("champion")
    decide(registry, 2, "BLOCK")
    with pytest.raises(NotTrusted, match="says BLOCK of version 2"):
        await versions.agent("2")
    decide(registry, 2)
    assert (await versions.agent("2")).stamp.evidence.endswith("serves a share, not promoted")


async def test_jobs_of_a_former_champion_are_checked_also_while_mlflow_is_down(registry: Registry) -> None:
    promote(registry, 2, force_reason="in a hurry", who="ada")
    before = await versions_of(registry).agent("1")
    assert before.stamp.evidence == "forced: a test"
    down = versions_of(failing(failing(registry, "get_registered_model", DOWN), "get_model_version", DOWN))
    assert (await down.agent("1")).stamp == before.stamp
    with pytest.raises(RegistryUnreachable):
        await down.agent("2")


@pytest.mark.parametrize("content", ['{"pack": 1}', None])
async def test_a_champion_whose_snapshot_was_changed_is_refused(registry: Registry, content: str | None) -> None:
    for stored in registry.settings.home.rglob("spec.json"):
        stored.write_text(content or stored.read_text().replace("One", "Won"))
    versions = versions_of(registry)
    with pytest.raises(DigestMismatch, match="somebody changed it, so register the pack anew"):
        await versions.current()
    assert "somebody changed it" in versions.refusal
