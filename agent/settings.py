"""Where the model is reached, and how hard. Absent by default: nothing here is part of a version."""

from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Price(BaseModel):
    """What a model costs a million tokens, in the currency of the whole table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)  # input the provider had cached; None: as `input`


class ModelSettings(BaseSettings):
    """An OpenAI-compatible endpoint: OpenAI, Azure OpenAI (`/openai/v1/`), APIM or a gateway."""

    model_config = SettingsConfigDict(env_prefix="COPYDESK_MODEL_", populate_by_name=True)

    url: str = ""  # base URL up to and with /v1/; empty: no model
    auth: Literal["key", "managed-identity"] = "key"
    key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("COPYDESK_MODEL_KEY", "CUDAAP_OPENAI_API_KEY", "OPENAI_API_KEY"),
    )
    identity_scope: str = "https://cognitiveservices.azure.com/.default"  # what a managed identity asks for
    headers: dict[str, str] = {}  # sent with each call, as JSON: a gateway's subscription key
    timeout_seconds: float = Field(default=60.0, gt=0)  # of one call
    question_seconds: float = Field(default=300.0, gt=0)  # of one question with its waiting and its retries

    # The limits hold for all workers together where they share a Redis, else for each process.
    max_in_flight: int = Field(default=200, ge=1)  # calls at once
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)  # input and output

    attempts: int = Field(default=4, ge=1)  # of one call: the first and its retries
    backoff_seconds: float = Field(default=0.5, gt=0)  # before the first retry; it doubles, with jitter
    max_wait_seconds: float = Field(default=20.0, gt=0)  # a Retry-After over this isn't waited for
    breaker_failures: int = Field(default=10, ge=1)  # in a row, before a deployment is left alone
    breaker_seconds: float = Field(default=30.0, gt=0)  # for so long

    prices: dict[str, Price] = {}  # by model name or the beginning of one, as JSON
