"""MLflow's own pages, for the embedded registry; a server has its own."""

from registry.connection import Registry, without_password
from registry.settings import RegistrySettings


def address_of(registry: Registry, page: str) -> str:
    """Where a server shows a page; empty for an embedded MLflow, whose pages are wherever somebody serves them."""
    return f"{without_password(registry.uri).rstrip('/')}/{page}" if registry.uri.startswith("http") else ""


def run_page(experiment_id: str, run_id: str) -> str:
    """A page's path on MLflow's server."""
    return f"#/experiments/{experiment_id}/runs/{run_id}"


def trace_page(experiment_id: str, trace_id: str) -> str:
    return f"#/experiments/{experiment_id}/traces?selectedEvaluationId={trace_id}"


def pages_command(settings: RegistrySettings, *, port: int) -> list[str]:
    """Arguments for Python that serve MLflow's pages over the embedded registry, on loopback."""
    return [
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        settings.tracking_uri,
        "--default-artifact-root",
        settings.artifact_root.as_uri(),
        "--no-serve-artifacts",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]


# Without this MLflow starts ten processes and takes 2 GB (measured with 3.17.2).
PAGES_ENVIRONMENT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
