"""Which version of the agent is in use: the only door to MLflow."""

import os

# MLflow reads this once, when it is imported: an editorial house's tool reports to nobody.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
