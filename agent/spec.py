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
    temperature: float = Field(default=0.0, ge=0, le=2)
    seed: int | None = 7
    max_tokens: int = Field(default=2000, ge=1)  # of one answer
    structured: Literal["json_schema", "prompt"] = "json_schema"  # how the answer's shape is asked for


class AgentSpec(BaseModel):
    """A version of the agent, before it has a number. Without `model` prompt guidelines use their patterns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pack: GuidelinePack
    model: ModelSpec | None = None
    prompt_versions: dict[str, str] = {}  # guideline id -> MLflow prompt URI; where it is kept, not what it is
    answer_schema: str = ANSWER_SCHEMA_DIGEST
    code: str = Field(default_factory=code_digest)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over pack, model and sampling parameters, answer schema and code."""
        parts = {
            "pack": self.pack.digest,
            "model": self.model.model_dump() if self.model else None,
            "answer_schema": self.answer_schema,
            "code": self.code,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

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
