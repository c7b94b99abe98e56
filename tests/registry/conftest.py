"""An embedded MLflow and a real server; most tests run on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from tests.embedded import with_mlflow
from tests.mlflow_server import mlflow_server
from tests.signing import key_file


@pytest.fixture
def embedded(tmp_path: Path) -> Registry:
    return connect(RegistrySettings(home=with_mlflow(tmp_path / "home")))


@pytest.fixture(scope="session")
def server_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("server")) as uri:
        yield uri


@pytest.fixture
def server(tmp_path: Path, server_uri: str) -> Registry:
    """The server without any version or prompt."""
    signing_key = tmp_path / "signing-key.pem"
    key_file(signing_key)
    registry = connect(
        RegistrySettings(home=tmp_path / "home", mlflow_tracking_uri=server_uri, signing_key=str(signing_key))
    )
    for name in {model.name for model in registry.client.search_registered_models()}:
        registry.client.delete_registered_model(name)
    for prompt in registry.client.search_prompts():
        registry.client.delete_prompt(prompt.name)
    return registry


@pytest.fixture(params=["embedded", "server"])
def registry(request: pytest.FixtureRequest) -> Registry:
    found: Registry = request.getfixturevalue(request.param)
    return found
