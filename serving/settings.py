"""How this installation serves. Everything comes from the environment, prefix COPYDESK_."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.errors import CopydeskError
from serving.job import Priority


class UnsafeAddress(CopydeskError):
    """The API would be reachable from elsewhere, and nobody has to sign in."""

    type = "unsafe-address"


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
    allowed_hosts: tuple[str, ...] = ()  # names a proxy passes on as Host, beside the loopback ones; JSON
    db_connection_string: str = Field(
        default="", validation_alias=AliasChoices("DB_CONNECTION_STRING", "COPYDESK_DB_CONNECTION_STRING")
    )  # SQLAlchemy URL; empty: a SQLite file in `home`
    redis_connection_string: str = Field(
        default="", validation_alias=AliasChoices("REDIS_CONNECTION_STRING", "COPYDESK_REDIS_CONNECTION_STRING")
    )  # rediss://:PASSWORD@HOST:PORT, for what workers share: the model's limits, finished checks; empty: each its own
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
    kept_days: int = Field(default=30, ge=1)  # how long finished checks are kept
    article_days: int = Field(default=180, ge=1)  # how long articles and all that was found in them are kept
    log_days: int = Field(default=90, ge=1)  # log files of `copydesk serve`
    audit_days: int = Field(default=365, ge=1)  # who did what
    champion_poll_seconds: float = Field(default=3.0, gt=0)

    @field_validator("public_url")
    @classmethod
    def _secure(cls, given: str) -> str:
        if given and not given.startswith("https://"):
            raise ValueError(f"PUBLIC_URL is {given!r}: Word loads add-ins over https only")
        return given.rstrip("/")

    def must_be_safe(self, *, sign_in: bool) -> None:
        """Raises UnsafeAddress where others could reach a service that asks nobody who they are."""
        if not sign_in and self.host != "localhost" and not _is_loopback(self.host):
            raise UnsafeAddress(
                f"COPYDESK_HOST is {self.host!r} and nobody has to sign in: set JWT_SECRET_KEY or "
                "COPYDESK_ENTRA_TENANT for sign-in, or serve 127.0.0.1 only"
            )

    def limit_of(self, priority: Priority) -> int:
        return self.batch_queue_limit if priority is Priority.BATCH else self.queue_limit

    @property
    def database_url(self) -> str:
        return self.db_connection_string or f"sqlite+aiosqlite:///{(self.home.resolve() / 'copydesk.db').as_posix()}"

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
