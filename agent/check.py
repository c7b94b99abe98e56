"""The outcome of checking one article against one guideline. A failure is a value."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from agent.finding import Finding, Method


class Verdict(StrEnum):
    """What a check came to."""

    CLEAR = "clear"
    FINDINGS = "findings"
    NOT_APPLICABLE = "not_applicable"  # the guideline isn't for articles of this language
    FAILED = "failed"  # it was tried; `reason` says what went wrong
    NOT_CHECKED = "not_checked"  # it could not be tried; `reason` says why


class Usage(BaseModel):
    """What a check cost at the model; zero for patterns."""

    model_config = ConfigDict(frozen=True)

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0  # of the input tokens, those the provider had cached

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )


class Check(BaseModel):
    """One guideline's verdict on one article."""

    model_config = ConfigDict(frozen=True)

    guideline: str
    verdict: Verdict
    reason: str = ""  # for `failed` and `not_checked`, a sentence; for `fallback`, why the model wasn't used
    method: Method | None = None  # None when nothing was checked
    findings: tuple[Finding, ...] = ()
    unanchored: int = 0  # quotes the model gave that aren't in the article
    usage: Usage = Usage()
    seconds: float = 0.0
