"""What Azure ML needs, and how it's missed; without Azure, and but for one test with and without its plugin."""

from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from registry import azure
from registry.azure import azure_failure, must_have_a_token
from registry.connection import answering, connect
from registry.errors import CredentialsRefused, RegistryError, RegistryUnreachable
from registry.settings import RegistrySettings

WORKSPACE = (
    "azureml://westeurope.api.azureml.ms/mlflow/v1.0/subscriptions/00000000-0000-0000-0000-000000000000"
    "/resourceGroups/desk/providers/Microsoft.MachineLearningServices/workspaces/house"
)
HAS_PLUGIN = azure._has_plugin()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has signed in to Azure here: of all the ways only the environment is looked into, which is empty."""
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "MLFLOW_TRACKING_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")


def settings(home: Path, uri: str) -> RegistrySettings:
    return RegistrySettings(home=home, mlflow_tracking_uri=uri)


@pytest.mark.parametrize(
    "uri",
    [
        "azureml://",
        "azureml://westeurope.api.azureml.ms",
        WORKSPACE.partition("/providers")[0],
        WORKSPACE.replace("/resourceGroups/desk", ""),
        WORKSPACE.replace("workspaces/house", "registries/shared"),
        WORKSPACE.removesuffix("house"),
    ],
)
def test_an_address_that_is_no_workspace_s_is_named(tmp_path: Path, uri: str) -> None:
    with pytest.raises(RegistryError, match="names no Azure ML workspace: write what `az ml workspace show") as refused:
        connect(settings(tmp_path, uri), may_be_down=True)
    assert repr(uri) in str(refused.value)


@pytest.mark.skipif(HAS_PLUGIN, reason="the plugin is installed")
def test_without_the_plugin_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"plugin for it is missing: install registry/azureml\.lock and copydesk"):
        connect(settings(tmp_path, WORKSPACE))


def test_without_credentials_it_says_how_to_sign_in_and_asks_nobody(
    nobody: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure, "_has_plugin", lambda: True)
    with pytest.raises(CredentialsRefused, match=r"Azure gives no token for azureml://westeurope.*: run `az login`"):
        connect(settings(tmp_path, WORKSPACE))


def test_a_job_of_azure_ml_brings_its_token(nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "a.b.c")
    must_have_a_token(WORKSPACE)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (ClientAuthenticationError("expired"), CredentialsRefused, r"set AZURE_TENANT_ID, .* \(expired\)"),
        (ServiceRequestError("no route"), RegistryUnreachable, r"can't be reached: try again in a moment \(no route\)"),
    ],
)
def test_what_azure_raises_later_is_an_outage(error: Exception, kind: type[RegistryError], says: str) -> None:
    with pytest.raises(kind, match=says) as refused, answering(WORKSPACE):
        raise error
    assert refused.value.outage


def test_a_worker_goes_on_with_what_it_kept_while_azure_gives_no_token(
    nobody: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(azure, "_has_plugin", lambda: True)
    monkeypatch.setattr("registry.connection.MlflowClient", lambda *_: None)  # the plugin has its own
    connect(settings(tmp_path, WORKSPACE), may_be_down=True)
    assert "Azure gives no token" in caplog.text


def test_an_artifact_store_of_azure_behind_a_plain_server_is_no_workspace() -> None:
    with pytest.raises(ClientAuthenticationError), answering("http://mlflow:5000"):
        raise ClientAuthenticationError("no access to the container")


def test_other_errors_stay_what_they_are() -> None:
    assert azure_failure(WORKSPACE, ValueError("ours")) is None
    with pytest.raises(ValueError, match="ours"), answering(WORKSPACE):
        raise ValueError("ours")
