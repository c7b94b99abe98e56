"""How often the champion's model is asked about its canaries, and what they are taken from."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SPLIT, ARTICLES, LINE = "test", 20, 0.8


class CanarySettings(BaseSettings):
    """Of workers and `copydesk tick`."""

    model_config = SettingsConfigDict(env_prefix="COPYDESK_CANARY_", env_ignore_empty=True)

    set: Path | None = None  # a labelled set; None: only `copydesk monitor canary` asks
    split: str = SPLIT
    articles: int = Field(default=ARTICLES, ge=1)
    line: float = Field(default=LINE, ge=0, le=1)  # the part of the findings that must be the same as then
    hours: float = Field(default=24, ge=1)
