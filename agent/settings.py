"""Where the model is reached. Absent by default: nothing here is part of a version."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ModelSettings(BaseSettings):
    """An OpenAI-compatible endpoint: OpenAI, Azure OpenAI (`/openai/v1/`), APIM or a gateway."""

    model_config = SettingsConfigDict(env_prefix="COPYDESK_MODEL_", populate_by_name=True)

    url: str = ""  # base URL up to and with /v1/; empty: no model
    key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("COPYDESK_MODEL_KEY", "CUDAAP_OPENAI_API_KEY", "OPENAI_API_KEY"),
    )
    headers: dict[str, str] = {}  # sent with each call, as JSON: a gateway's subscription key
    timeout_seconds: float = Field(default=60.0, gt=0)  # of one call
    max_in_flight: int = Field(default=8, ge=1)  # calls at once from this process
