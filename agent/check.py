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


class AnsweredBy(BaseModel):
    """What answered, as the endpoint names it."""

    model_config = ConfigDict(frozen=True)

    model: str
    fingerprint: str = ""  # of the provider's configuration, where it tells


class Usage(BaseModel):
    """What a check cost at the model; zero for patterns and for what was kept from an earlier check."""

    model_config = ConfigDict(frozen=True)

    calls: int = 0  # answered ones
    retries: int = 0  # calls that failed and were tried again
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0  # of the input tokens, those the provider had cached
    cost: float | None = 0.0  # in the currency of the price table; None when a model that answered isn't in it
    answered_by: tuple[AnsweredBy, ...] = ()

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            retries=self.retries + other.retries,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost=None if self.cost is None or other.cost is None else self.cost + other.cost,
            answered_by=tuple(dict.fromkeys((*self.answered_by, *other.answered_by))),
        )

    def shared_by(self, count: int) -> "tuple[Usage, ...]":
        """The usage of a call that `count` checks share; the parts add up to it, the first gets what is over."""
        if count == 1:
            return (self,)
        part = {name: getattr(self, name) // count for name in COUNTS}
        rest = {name: getattr(self, name) - part[name] * (count - 1) for name in COUNTS}
        cost = None if self.cost is None else self.cost / count
        one = Usage(**part, cost=cost, answered_by=self.answered_by)
        return (Usage(**rest, cost=cost, answered_by=self.answered_by), *[one] * (count - 1))


COUNTS = ("calls", "retries", "input_tokens", "output_tokens", "cached_tokens")


class Check(BaseModel):
    """One guideline's verdict on one article."""

    model_config = ConfigDict(frozen=True)

    guideline: str
    verdict: Verdict
    reason: str = ""  # for `failed` and `not_checked`, a sentence; for `fallback`, why the model wasn't used
    method: Method | None = None  # None when nothing was checked
    findings: tuple[Finding, ...] = ()
    unanchored: int = 0  # quotes the model gave that aren't in the article, or not so often
    usage: Usage = Usage()
    kept: int = 0  # paragraphs whose verdict was kept from an earlier check
    windows: int = 1  # calls that the article's length was split over
    extract: float | None = None  # the part of a long article that was read, 0-1; None when all of it was
    seconds: float = 0.0
