"""Which version of the agent is in use: the only door to MLflow."""
