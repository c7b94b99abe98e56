"""Where pages lead outside of this service."""

from serving.pages.tables import Linked


def run_link(run_id: str, mlflow: str) -> Linked | str | None:
    """The run where MLflow's public address is known, else its id."""
    if not run_id or not mlflow:
        return run_id or None
    return Linked(run_id[:8], f"{mlflow.rstrip('/')}/#/runs/{run_id}")
