"""MLflow's own pages, for the embedded registry; a server has its own."""

from registry.settings import RegistrySettings


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
