"""The kinds of deterministic rule a guideline may hold, as data. `patterns` compiles and runs them.

The kinds, their keys and their meaning are those of the Vale linter (https://vale.sh/docs/checks),
without `spelling`, `sequence`, `script` and general `metric`; `readability` is our own.
`%s` in a message stands for the matched words (in a substitution: first the replacement, then them).
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

CASES = ("$title", "$sentence", "$lower", "$upper")
ANY_TOKEN = (r"[^\s]+",)


class RuleScope(StrEnum):
    """The part of an article a rule looks at, one at a time."""

    TEXT = "text"  # every paragraph
    HEADING = "heading"
    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"  # body paragraphs: no headings, lists or tables
    LIST = "list"  # list items


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    message: str = Field(min_length=1)
    scope: RuleScope = RuleScope.TEXT
    ignorecase: bool = False
    exceptions: tuple[str, ...] = ()  # excuse a match they are in or that is in them: whole words, the rule's case
    once: bool = False  # of the same words in an article only the first is found


class Existence(_Rule):
    """Words or patterns that shouldn't be there."""

    check: Literal["existence"] = "existence"
    tokens: tuple[str, ...] = ()  # patterns, each bound to word boundaries unless `nonword`
    raw: tuple[str, ...] = ()  # joined as they are, before the tokens
    nonword: bool = False
    suggestions: tuple[str, ...] = ()  # offered for every match

    @model_validator(mode="after")
    def _has_pattern(self) -> "Existence":
        if not self.tokens and not self.raw:
            raise ValueError('an existence rule needs "tokens" or "raw"')
        return self


class Substitution(_Rule):
    """Words to be replaced: pattern -> replacement, several separated by `|`."""

    check: Literal["substitution"] = "substitution"
    swap: dict[str, str] = Field(min_length=1)
    nonword: bool = False


class Occurrence(_Rule):
    """At most `max`, or at least `min`, matches of `token` in each unit of the scope."""

    check: Literal["occurrence"] = "occurrence"
    token: str
    max: int | None = Field(default=None, ge=0)
    min: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_bound(self) -> "Occurrence":
        if (self.max is None) == (self.min is None):
            raise ValueError('an occurrence rule needs either "max" or "min"')
        return self


class Repetition(_Rule):
    """The same token twice in a row ("the the")."""

    check: Literal["repetition"] = "repetition"
    tokens: tuple[str, ...] = ANY_TOKEN
    alpha: bool = True  # only tokens of letters count


class Consistency(_Rule):
    """Either spelling is fine, both in one article are not; the later one is found."""

    check: Literal["consistency"] = "consistency"
    either: dict[str, str] = Field(min_length=1)
    nonword: bool = False


class Conditional(_Rule):
    """Each match of `first` needs a match of `second` in the article.

    Where `second` has a group 1, it must be the same as that of `first`, or as all of `first` where that has none.
    """

    check: Literal["conditional"] = "conditional"
    first: str
    second: str


class Capitalization(_Rule):
    """`$title`, `$sentence`, `$lower`, `$upper`, or a pattern the unit must match."""

    check: Literal["capitalization"] = "capitalization"
    match: str
    style: Literal["AP", "Chicago"] = "AP"  # for `$title`
    indicators: tuple[str, ...] = ()  # after these a sentence begins anew, for `$sentence`

    @model_validator(mode="after")
    def _knows_case(self) -> "Capitalization":
        if self.match.startswith("$") and self.match not in CASES:
            raise ValueError(f"match is {self.match!r}: use {', '.join(CASES)} or a pattern")
        return self


class Readability(_Rule):
    """Flesch reading ease of each unit of the scope is at least `min`.

    206.835 - 1.015 * words / sentences - 84.6 * syllables / words (Flesch, R. (1948). A new
    readability yardstick. Journal of Applied Psychology, 32(3), 221-233).
    """

    check: Literal["readability"] = "readability"
    metric: Literal["flesch"] = "flesch"
    min: float
    min_words: int = Field(default=20, ge=1)  # shorter units are not judged

    @model_validator(mode="after")
    def _excuses_nothing(self) -> "Readability":
        if self.exceptions:
            raise ValueError('a readability rule judges a unit as a whole, so "exceptions" can excuse nothing')
        return self


Rule = Annotated[
    Existence | Substitution | Occurrence | Repetition | Consistency | Conditional | Capitalization | Readability,
    Field(discriminator="check"),
]
