"""What a version of the agent is: data plus a code digest, one digest over all."""

import hashlib
import json
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.code_digest import code_digest
from agent.guideline import GuidelinePack
from agent.prompts import ANSWER_SCHEMA_DIGEST
from agent.report import VersionStamp


class ModelSpec(BaseModel):
    """The language model a version declares. Where it is reached is the environment's business."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: str = Field(min_length=1)  # model or deployment name at the endpoint
    temperature: float | None = Field(default=0.0, ge=0, le=2)  # None: not sent, as some models want it
    seed: int | None = 7
    max_tokens: int = Field(default=2000, ge=1)  # of one answer
    structured: Literal["json_schema", "prompt"] = "json_schema"  # how the answer's shape is asked for


class AgentOptions(BaseModel):
    """How the agent asks its model; a part of the version, because it can change the answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checks_per_call: int = Field(default=1, ge=1, le=50)  # guidelines in one call over a whole article
    # Guidelines in one call about some paragraphs only, where the article is a small part of what is sent.
    recheck_checks_per_call: int = Field(default=8, ge=1, le=50)
    window_tokens: int = Field(default=12_000, ge=200)  # of article text in one call about single paragraphs
    article_tokens: int = Field(default=32_000, ge=200)  # and about the article as a whole
    answer_language: str = Field(default="", pattern="^([a-z]{2,3})?$")  # of explanations; empty: the article's


class AgentSpec(BaseModel):
    """A version of the agent, before it has a number. Without `model` prompt guidelines use their patterns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pack: GuidelinePack
    model: ModelSpec | None = None
    options: AgentOptions = AgentOptions()
    prompt_versions: dict[str, str] = {}  # guideline id -> MLflow prompt URI; where it is kept, not what it is
    answer_schema: str = ANSWER_SCHEMA_DIGEST
    code: str = Field(default_factory=code_digest)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over pack, model and sampling parameters, options, answer schema and code."""
        parts = {
            "pack": self.pack.digest,
            "model": self.model.model_dump() if self.model else None,
            "options": self.options.model_dump(),
            "answer_schema": self.answer_schema,
            "code": self.code,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def basis(self) -> str:
        """Everything but its guideline and article that a model's verdict depends on, as canonical JSON."""
        model = self.model.model_dump(mode="json") if self.model else None
        return json.dumps([self.code, self.answer_schema, model, self.options.model_dump(mode="json")], sort_keys=True)

    def stamp(self, *, name: str = "", number: str = "", evidence: str = "") -> VersionStamp:
        return VersionStamp(
            name=name,
            number=number,
            digest=self.digest,
            code_digest=self.code,
            pack=self.pack.name,
            pack_digest=self.pack.digest,
            evidence=evidence,
        )
