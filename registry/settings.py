"""Where MLflow is, and how long to wait for it."""

from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")  # what MLflow opens without a server


class RegistrySettings(BaseSettings):
    """Without a tracking URI MLflow is embedded: a SQLite file and a folder under `home`."""

    model_config = SettingsConfigDict(env_prefix="COPYDESK_", populate_by_name=True)

    home: Path = Path(".copydesk")  # what this machine keeps
    mlflow_tracking_uri: str = Field(
        default="", validation_alias=AliasChoices("MLFLOW_TRACKING_URI", "COPYDESK_MLFLOW_TRACKING_URI")
    )
    signing_key: str = ""  # path of the private key of whoever decides and promotes here
    trusted_keys: str = ""  # public keys of those who may: a file of them, or lines `ed25519:BASE64 name`
    approvals: int = Field(default=1, ge=1)  # people that must stand behind a promotion, whoever decided among them
    production_experiment: str = Field(default="copydesk/production", min_length=1)  # the month is appended
    mlflow_timeout_seconds: int = Field(default=10, ge=1)  # of one request
    # A repeated POST makes a second run or version, so whoever calls tries again by looking first.
    mlflow_retries: int = Field(default=0, ge=0)

    @property
    def tracking_uri(self) -> str:
        return self.mlflow_tracking_uri or f"sqlite:///{(self.home.resolve() / 'mlflow.db').as_posix()}"

    @property
    def embedded(self) -> bool:
        """Whether this process opens MLflow's database itself, without a server."""
        return self.tracking_uri.startswith(DATABASES)

    @property
    def own(self) -> bool:
        """Whether the registry is this machine's own, which nobody else reaches."""
        return not self.mlflow_tracking_uri

    @property
    def artifact_root(self) -> Path:
        """Where artifacts go when MLflow is embedded; a server knows its own place."""
        return self.home.resolve() / "mlartifacts"

    @property
    def copies(self) -> Path:
        """Where downloaded versions are kept, so that a dead server stops no worker."""
        return self.home.resolve() / "versions"
