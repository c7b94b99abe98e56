"""Registers a pack as MLflow prompts and the agent as a model version."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from agent.guideline import Kind
from agent.spec import AgentSpec
from pipelines.agent_spec import agent_spec, pack_of
from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from registry.versions import Registration, register


def register_files(folder: Path | None, model: str, settings: Sequence[str], console: Console) -> None:
    """Registers the pack in `folder`, or the default one, with the model it declares, if any, and its options."""
    spec = agent_spec(pack_of(folder), model, settings)
    register_spec(connect(RegistrySettings()), spec, console)


def register_spec(registry: Registry, spec: AgentSpec, console: Console) -> Registration:
    pack = spec.pack
    with console.status("Registering with MLflow …"):
        registration = register(registry, spec)
    version = registration.version
    news = "registered" if registration.new else "was registered before, nothing has changed"
    prompts = sum(guideline.kind is Kind.PROMPT for guideline in pack.guidelines)
    how = f"with model {spec.model.deployment}" if spec.model else "by their patterns, as the version declares no model"
    console.print(f"[bold]Version {version.number}[/] of {version.name} {news}")
    console.print(f"  pack {pack.name}: {len(pack.guidelines)} guidelines, {prompts} of them prompts, checked {how}")
    console.print(f"  version digest {version.digest[:12]}, code digest {version.code_digest[:12]}")
    return registration
