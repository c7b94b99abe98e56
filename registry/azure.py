"""Azure ML in place of an MLflow server: what its plugin needs, asked for before the plugin is.

By itself it answers a wrong address with a stack trace, and missing credentials by waiting minutes for somebody to sign
in with a browser or a device's code, whom a worker doesn't have.
"""

import os
import re
from importlib.util import find_spec
from typing import NamedTuple

from registry.errors import CredentialsRefused, RegistryError, RegistryUnreachable

SCHEME = "azureml://"
PLUGIN = "azureml.mlflow"
_WORKSPACE = re.compile(
    r"azureml://[^/]+/.*/?subscriptions/[^/]+/resourceGroups/[^/]+"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/[^/?]+"
)
_SIGN_IN = (
    "run `az login`, give this machine a managed identity that may use the workspace, or set AZURE_TENANT_ID, "
    "AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
)


class _Cloud(NamedTuple):
    authority: str
    scope: str  # of a token for the workspace, as the plugin asks for it


_CLOUDS = {
    "AzureCloud": _Cloud("login.microsoftonline.com", "https://management.azure.com/.default"),
    "AzureChinaCloud": _Cloud("login.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default"),
    "AzureUSGovernment": _Cloud("login.microsoftonline.us", "https://management.usgovcloudapi.net/.default"),
}


def must_be_usable(uri: str) -> None:
    """Raises RegistryError unless the address is a workspace's and the plugin is installed."""
    if not _WORKSPACE.match(uri):
        raise RegistryError(
            f"MLFLOW_TRACKING_URI is {uri!r}, which names no Azure ML workspace: write what `az ml workspace show "
            "--query mlflow_tracking_uri` prints, azureml://REGION.api.azureml.ms/mlflow/v1.0/subscriptions/ID/"
            "resourceGroups/GROUP/providers/Microsoft.MachineLearningServices/workspaces/NAME"
        )
    if not _has_plugin():
        raise RegistryError(
            f"MLFLOW_TRACKING_URI names an Azure ML workspace, and MLflow's plugin for it is missing: install "
            f"registry/azureml.lock and copydesk into an environment of their own ({uri})"
        )


def must_have_a_token(uri: str) -> None:
    """Whether Azure gives one without asking anybody.

    Raises CredentialsRefused, and RegistryUnreachable where nobody could be asked.
    """
    if "MLFLOW_TRACKING_TOKEN" in os.environ:  # which Azure ML gives to its own jobs
        return
    from azure.identity import DefaultAzureCredential  # there with the plugin

    cloud = _CLOUDS.get(os.environ.get("AZUREML_CURRENT_CLOUD", "AzureCloud"))
    if cloud is None:  # the plugin knows more of them
        return
    try:
        with DefaultAzureCredential(authority=cloud.authority) as credential:
            credential.get_token(cloud.scope)
    except Exception as error:
        if (failure := azure_failure(uri, error)) is None:
            raise
        raise failure from error


def azure_failure(uri: str, error: Exception) -> RegistryError | None:
    """What one of Azure's own errors means; None for any other."""
    kinds = _kinds(error)
    reason = " ".join(str(error).split())[:300]
    if is_no_token(error):
        return CredentialsRefused(f"Azure gives no token for {uri}: {_SIGN_IN} ({reason})")
    if kinds and "ResourceNotFoundError" not in kinds:
        return RegistryUnreachable(f"Azure ML at {uri} can't be reached: try again in a moment ({reason})")
    return None


def is_no_token(error: Exception) -> bool:
    return "ClientAuthenticationError" in _kinds(error)


def _kinds(error: Exception) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "azure.core.exceptions"}


def _has_plugin() -> bool:
    try:
        return find_spec(PLUGIN) is not None
    except ModuleNotFoundError:  # nor anything else of azureml
        return False
