"""MLflow's file as an embedded registry begins with, without the seconds that making one takes."""

import tempfile
from functools import cache
from pathlib import Path


@cache
def _fresh() -> bytes:
    from registry.connection import connect  # takes seconds: many tests need no MLflow
    from registry.settings import RegistrySettings

    with tempfile.TemporaryDirectory() as folder:
        connect(RegistrySettings(home=Path(folder), mlflow_tracking_uri=""))
        return (Path(folder) / "mlflow.db").read_bytes()


def with_mlflow(home: Path) -> Path:
    """A home, made where it isn't there, with nothing in its MLflow."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "mlflow.db").write_bytes(_fresh())
    return home
