"""Who runs a command: as the service's own sign-in says where a key is set, else the user of this machine."""

import getpass
import os
from dataclasses import dataclass

import httpx
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.errors import CopydeskError
from serving.access.audit import Actor
from serving.access.caller import Permission

TIMEOUT_SECONDS = 10.0


class NotKnown(CopydeskError):
    """The service does not say who this is."""

    type = "not-known"


class ServiceSettings(BaseSettings):
    """The service that says who somebody is."""

    model_config = SettingsConfigDict(env_prefix="COPYDESK_")

    url: str = "http://127.0.0.1:8400"
    key: SecretStr = SecretStr("")  # an API key or an Entra token of whoever runs the command


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    signed_in: str = ""  # `URL as key:ID`; empty where only the machine says so
    permissions: frozenset[str] = frozenset()


def person() -> Person:
    """Raises NotKnown where a key is set that the service doesn't take."""
    settings = ServiceSettings()
    return signed_in(settings) if settings.key.get_secret_value() else Person(user_name())


def approver() -> Person:
    """Somebody whom the service knows, and lets approve; raises NotKnown."""
    settings = ServiceSettings()
    if not settings.key.get_secret_value():
        raise NotKnown(
            "an approval names who gives it as the service knows them: set COPYDESK_KEY to your API key or Entra "
            "token, and COPYDESK_URL to the service"
        )
    found = signed_in(settings)
    if Permission.APPROVE not in found.permissions:
        held = ", ".join(sorted(found.permissions)) or "nothing"
        raise NotKnown(
            f"{found.name!r} has {held} at {settings.url}, and approving needs the permission {Permission.APPROVE!s}: "
            "ask an administrator for a role that has it, such as guideline-owner"
        )
    return found


def signed_in(settings: ServiceSettings) -> Person:
    """Raises NotKnown."""
    address = settings.url.rstrip("/")
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
            answer = client.get(
                f"{address}/api/v1/session", headers={"Authorization": f"Bearer {settings.key.get_secret_value()}"}
            )
            said = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise NotKnown(f"the service at COPYDESK_URL={address!r} does not answer as one: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise NotKnown(f"the service at {address} does not take COPYDESK_KEY: {said.get('detail', answer.status_code)}")
    if said["via"] == "none":
        raise NotKnown(
            f"the service at {address} asks nobody who they are, so it can't say: set up sign-in (JWT_SECRET_KEY)"
        )
    return Person(str(said["user"]), f"{address} as {said['via']}", frozenset(said["scopes"]))


def operator() -> Actor:
    """Who runs this command, for the audit."""
    return Actor(user_name(), "command")


def user_name() -> str:
    """The machine's user; a container may have no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
