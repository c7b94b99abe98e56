"""How this installation serves. Everything comes from the environment, prefix COPYDESK_."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.errors import CopydeskError
from serving.callback import secret_key
from serving.callback_rules import AllowedHost, CallbackRules
from serving.feedback import Dismissals
from serving.job import Priority
from serving.model_change import ExpiresOn
from serving.registry_webhook import LEAST_SECRET

LEAST_LEASE_SECONDS = 1.0  # a lease is renewed three times in it


class UnsafeAddress(CopydeskError):
    """The API or a worker's metrics would be reachable from elsewhere, and nobody has to say who they are."""

    type = "unsafe-address"


class UnsafeSettings(CopydeskError):
    """Settings that don't go together."""

    type = "unsafe-settings"


@dataclass(frozen=True, slots=True)
class Ages:
    """How long each is kept."""

    articles: timedelta  # with all that was found in them
    logs: timedelta
    audit: timedelta


@dataclass(frozen=True, slots=True)
class PoolSize:
    """Connections of one process. All processes together must stay under the server's max_connections."""

    kept: int = 5
    overflow: int = 5  # opened under load beyond `kept`, closed again
    wait_seconds: float = 5.0  # for a free one
    recycle_seconds: int = 3600


class ServingSettings(BaseSettings):
    """Embedded defaults: SQLite and folders under `home`, on loopback."""

    model_config = SettingsConfigDict(env_prefix="COPYDESK_", populate_by_name=True)

    home: Path = Path(".copydesk")  # what this machine keeps
    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=0, le=65535)
    public_url: str = Field(
        default="", validation_alias=AliasChoices("PUBLIC_URL", "COPYDESK_PUBLIC_URL")
    )  # https address that Word reaches this service by; needed for the add-in's manifests
    frame_ancestors: tuple[str, ...] = (
        "'self'",
        "https://*.officeapps.live.com",
        "https://*.office.com",
        "https://*.cloud.microsoft",
        "https://*.sharepoint.com",
    )  # whose pages may show the task pane, as in Content-Security-Policy; JSON
    mlflow_public_url: str = ""  # where people open MLflow, for links to its runs; empty: pages show their ids
    allowed_hosts: tuple[str, ...] = ()  # names a proxy passes on as Host, beside the loopback ones; JSON
    db_connection_string: str = Field(
        default="", validation_alias=AliasChoices("DB_CONNECTION_STRING", "COPYDESK_DB_CONNECTION_STRING")
    )  # SQLAlchemy URL; empty: a SQLite file in `home`
    db_read_connection_string: str = Field(
        default="", validation_alias=AliasChoices("DB_READ_CONNECTION_STRING", "COPYDESK_DB_READ_CONNECTION_STRING")
    )  # of a PostgreSQL replica, for reports that may be seconds old; empty: the same database
    redis_connection_string: str = Field(
        default="", validation_alias=AliasChoices("REDIS_CONNECTION_STRING", "COPYDESK_REDIS_CONNECTION_STRING")
    )  # rediss://:PASSWORD@HOST:PORT, for what workers share: the model's limits, finished checks; empty: each its own
    blob_connection_string: str = Field(
        default="", validation_alias=AliasChoices("BLOB_CONNECTION_STRING", "COPYDESK_BLOB_CONNECTION_STRING")
    )  # of an Azure storage account, where articles are stored; empty: a folder in `home`, or as the next says
    blob_account_url: str = ""  # https://NAME.blob.core.windows.net, to be used with a managed identity
    db_pool_size: int = Field(default=5, ge=1)  # connections to PostgreSQL that one process keeps
    db_pool_overflow: int = Field(default=5, ge=0)  # and opens beyond under load
    db_pool_recycle_seconds: int = Field(default=3600, ge=1)
    queue_limit: int = Field(default=1000, ge=1)  # jobs waiting; beyond, submitting answers 503
    batch_queue_limit: int = Field(default=10_000, ge=1)  # as many of those that no editor waits for
    user_requests_per_minute: int = Field(default=500, ge=1)  # of one user; beyond, the API answers 429
    worker_jobs: int = Field(default=4, ge=1)  # jobs at once in one worker
    max_attempts: int = Field(default=3, ge=1)  # of one job, before it has failed
    lease_seconds: float = Field(default=10.0, gt=0)  # a running job whose worker is silent for longer goes back
    record_rate: float = Field(default=0.0, ge=0, le=1)  # part of the jobs whose exchanges with the model are stored
    log_hold_seconds: float = Field(default=180.0, ge=5)  # what a killed worker was about to tell MLflow waits so long
    mlflow_trace_rate: float = Field(default=0.01, ge=0, le=1)  # part of the jobs whose checks are a trace in MLflow
    kept_days: int = Field(default=30, ge=1)  # how long finished checks are kept
    article_days: int = Field(default=180, ge=1)  # how long articles and all that was found in them are kept
    log_days: int = Field(default=90, ge=1)  # log files of `copydesk serve`
    audit_days: int = Field(default=365, ge=1)  # who did what
    dismissals: Dismissals = Dismissals.AT_ONCE  # or approval: they count when a guideline owner has approved them
    shutdown_seconds: float = Field(default=10.0, gt=0)  # for what runs when the process is told to stop
    worker_metrics_port: int = Field(default=0, ge=0, le=65535)  # of one worker, on `host`; 0: not told
    evidence_expires_on: ExpiresOn = ExpiresOn.MODEL  # or fingerprint: what change of the model ends evidence
    champion_poll_seconds: float = Field(default=3.0, gt=0)
    head_seconds: float = Field(default=10.0, gt=0)  # for a request's line and headers to arrive
    body_seconds: float = Field(default=30.0, gt=0)  # for its body
    answer_seconds: float = Field(default=30.0, gt=0)  # until its answer begins; a stream may go on
    most_connections: int = Field(default=5000, ge=1)  # to one API process, idle or not
    webhook_secret: SecretStr = SecretStr("")  # whsec_BASE64, signs callbacks; to rotate it, the new and the old one
    registry_webhook_secret: SecretStr = SecretStr("")  # of MLflow's webhook; to rotate it, the new and the old one
    callback_hosts: tuple[str, ...] = ()  # that may be called, HOST or HOST:PORT; empty: any public one; JSON

    @model_validator(mode="after")
    def _fit_together(self) -> "ServingSettings":
        """Raises UnsafeSettings."""
        if "*" in "".join(self.allowed_hosts):
            raise UnsafeSettings(
                "COPYDESK_ALLOWED_HOSTS holds a '*': name each host, or any site could have a browser ask for it"
            )
        if self.lease_seconds < LEAST_LEASE_SECONDS:
            raise UnsafeSettings(
                f"COPYDESK_LEASE_SECONDS is {self.lease_seconds:g}: at least {LEAST_LEASE_SECONDS:g} are needed, or a "
                "worker that is busy for a moment loses its jobs"
            )
        if self.db_read_connection_string and not self.db_connection_string.startswith("postgres"):
            raise UnsafeSettings(
                "DB_READ_CONNECTION_STRING is set and DB_CONNECTION_STRING names no PostgreSQL, so reports would show "
                "another database: set both or none"
            )
        if self.mlflow_public_url and not self.mlflow_public_url.startswith(("https://", "http://")):
            raise UnsafeSettings(
                f"COPYDESK_MLFLOW_PUBLIC_URL is {self.mlflow_public_url!r}: write the address people open MLflow at, "
                "as https://mlflow.example.com"
            )
        for secret in self.registry_webhook_secrets:
            if len(secret) < LEAST_SECRET:
                raise UnsafeSettings(
                    f"COPYDESK_REGISTRY_WEBHOOK_SECRET holds a secret of {len(secret)} bytes: at least {LEAST_SECRET} "
                    "random ones are needed, such as those of `openssl rand -hex 32`"
                )
        self._can_call_back()
        return self

    def _can_call_back(self) -> None:
        for secret in self.webhook_secret.get_secret_value().split():
            try:
                secret_key(secret)
            except ValueError as error:
                raise UnsafeSettings(
                    f"COPYDESK_WEBHOOK_SECRET can't sign callbacks, {error}: write whsec_ and 24 to 64 random bytes in "
                    "base64, such as those of `openssl rand -base64 32`"
                ) from error
        if self.callback_hosts and not self.webhook_keys:
            raise UnsafeSettings(
                "COPYDESK_CALLBACK_HOSTS is set and COPYDESK_WEBHOOK_SECRET is not, so nobody could be called: "
                "set both or none"
            )
        try:
            _ = self.callback_rules
        except ValueError as error:
            raise UnsafeSettings(f"COPYDESK_CALLBACK_HOSTS: {error}; write hook.example.com or cms:8080") from error

    @field_validator("public_url")
    @classmethod
    def _secure(cls, given: str) -> str:
        if given and not given.startswith("https://"):
            raise ValueError(f"PUBLIC_URL is {given!r}: Word loads add-ins over https only")
        return given.rstrip("/")

    def must_be_safe(self, *, sign_in: bool) -> None:
        """Raises UnsafeAddress where others could reach a service that asks nobody who they are."""
        if not sign_in and not self._is_local:
            raise UnsafeAddress(
                f"COPYDESK_HOST is {self.host!r} and nobody has to sign in: set JWT_SECRET_KEY or "
                "COPYDESK_ENTRA_TENANT for sign-in, or serve 127.0.0.1 only"
            )

    def worker_must_be_safe(self, *, metrics_token: bool) -> None:
        """Raises UnsafeAddress where others could read a worker's metrics without the token for them."""
        if self.worker_metrics_port and not metrics_token and not self._is_local:
            raise UnsafeAddress(
                f"COPYDESK_WORKER_METRICS_PORT is {self.worker_metrics_port} on {self.host!r} (COPYDESK_HOST), where "
                "anybody could read this worker's metrics: set COPYDESK_METRICS_TOKEN, or COPYDESK_HOST=127.0.0.1, or "
                "COPYDESK_WORKER_METRICS_PORT=0 for none"
            )

    @property
    def _is_local(self) -> bool:
        return self.host == "localhost" or _is_loopback(self.host)

    def limit_of(self, priority: Priority) -> int:
        return self.batch_queue_limit if priority is Priority.BATCH else self.queue_limit

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """The current one first; none: clients can't be called."""
        return tuple(map(secret_key, self.webhook_secret.get_secret_value().split()))

    @property
    def registry_webhook_secrets(self) -> tuple[bytes, ...]:
        """The current one first; none: MLflow's webhooks aren't taken."""
        return tuple(secret.encode() for secret in self.registry_webhook_secret.get_secret_value().split())

    @property
    def callback_rules(self) -> CallbackRules:
        return CallbackRules(tuple(map(AllowedHost.of, self.callback_hosts)))

    @property
    def database_url(self) -> str:
        return self.db_connection_string or f"sqlite+aiosqlite:///{self.database_file.as_posix()}"

    @property
    def database_file(self) -> Path:
        """Where the database is, unless another is named."""
        return self.home.resolve() / "copydesk.db"

    @property
    def pool(self) -> PoolSize:
        return PoolSize(self.db_pool_size, self.db_pool_overflow, recycle_seconds=self.db_pool_recycle_seconds)

    @property
    def ages(self) -> Ages:
        return Ages(timedelta(days=self.article_days), timedelta(days=self.log_days), timedelta(days=self.audit_days))

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names this service answers to."""
        public = urlsplit(self.public_url).hostname
        return (self.host, *self.allowed_hosts, *((public,) if public else ()))

    @property
    def logs(self) -> Path:
        return self.home.resolve() / "logs"

    @property
    def articles(self) -> Path:
        return self.home.resolve() / "articles"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
