"""How people and programs sign in. Without any of it there is no sign-in, and only loopback is served."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.errors import CopydeskError
from serving.access.caller import Role

# Of a whole tenant, guests among them. Who approves, trains or administers is named in the application.
MAY_BE_EVERYBODY_S = (Role.EDITOR, Role.ANALYST)
LEAST_SECRET = 32  # bytes, as long as the hash (RFC 7518, 3.2)


class UnsafeSignIn(CopydeskError):
    """Sign-in is set up in a way that wouldn't keep anybody out."""

    type = "unsafe-sign-in"


@dataclass(frozen=True, slots=True)
class EntraSettings:
    """A tenant's issuer, and for which application its tokens must be made."""

    tenant: str
    audiences: tuple[str, ...]
    issuer: str
    keys: str  # address of the JWKS
    default_roles: tuple[str, ...]


class AccessSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="COPYDESK_", populate_by_name=True)

    jwt_secret_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("JWT_SECRET_KEY", "COPYDESK_JWT_SECRET_KEY")
    )  # signs sessions; during a rotation the new one, a space, the old one
    metrics_token: SecretStr = SecretStr("")  # of whoever scrapes /metrics of the API and of workers
    entra_tenant: str = ""  # its id
    entra_audience: tuple[str, ...] = ()  # the application's id, and its api:// URI; JSON
    entra_authority: str = "https://login.microsoftonline.com"
    entra_default_roles: tuple[Role, ...] = ()  # of who has none in the application, editor and analyst only; JSON
    entra_client: str = ""  # the application's id, by which the pane signs people in
    entra_scope: str = ""  # what it asks for: api://APPLICATION/checks.submit
    msal_url: str = ""  # where browsers load Microsoft's sign-in library from, as an ES module

    @field_validator("entra_authority")
    @classmethod
    def _without_slash(cls, given: str) -> str:
        return given.rstrip("/")

    @model_validator(mode="after")
    def _safe(self) -> "AccessSettings":
        for secret in self.secrets:
            if len(secret.encode()) < LEAST_SECRET:
                raise UnsafeSignIn(
                    f"JWT_SECRET_KEY holds a secret of {len(secret.encode())} bytes: at least {LEAST_SECRET} random "
                    "ones are needed, such as those of `openssl rand -hex 32`"
                )
        if 0 < (length := len(self.metrics_token.get_secret_value().encode())) < LEAST_SECRET:
            raise UnsafeSignIn(
                f"COPYDESK_METRICS_TOKEN has {length} bytes: at least {LEAST_SECRET} random ones are needed, such as "
                "those of `openssl rand -hex 32`"
            )
        if bool(self.entra_tenant) != bool(self.entra_audience):
            raise UnsafeSignIn("COPYDESK_ENTRA_TENANT and COPYDESK_ENTRA_AUDIENCE are needed together: set both")
        if refused := [role.value for role in self.entra_default_roles if role not in MAY_BE_EVERYBODY_S]:
            raise UnsafeSignIn(
                f"COPYDESK_ENTRA_DEFAULT_ROLES would make everybody in the tenant {' and '.join(refused)}: leave "
                f"{' and '.join(MAY_BE_EVERYBODY_S)} at most, and assign other roles to people in the Entra application"
            )
        authority = urlsplit(self.entra_authority)
        if authority.scheme != "https" and authority.hostname not in ("localhost", "127.0.0.1"):
            raise UnsafeSignIn(
                f"COPYDESK_ENTRA_AUTHORITY is {self.entra_authority!r}: its keys must come over https, "
                "or anybody on the way could sign tokens"
            )
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(self.jwt_secret_key.get_secret_value().split())

    @property
    def required(self) -> bool:
        return bool(self.secrets or self.entra_tenant)

    @property
    def entra(self) -> EntraSettings | None:
        if not self.entra_tenant:
            return None
        base = f"{self.entra_authority}/{self.entra_tenant}"
        return EntraSettings(
            self.entra_tenant,
            self.entra_audience,
            issuer=f"{base}/v2.0",
            keys=f"{base}/discovery/v2.0/keys",
            default_roles=tuple(role.value for role in self.entra_default_roles),
        )
