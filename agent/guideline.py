"""Guidelines and packs of them, as values. `pack_files` reads and writes them as Markdown."""

import hashlib
import json
import re
from enum import StrEnum
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.article import UNKNOWN_LANGUAGE
from agent.errors import UnknownGuideline
from agent.finding import Severity
from agent.rules import Rule

ID_PATTERN = r"^[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*$"


class Kind(StrEnum):
    """What checks a guideline: a language model, or patterns."""

    PROMPT = "prompt"
    PATTERN = "pattern"


class Scope(StrEnum):
    """The longest stretch a finding may cover, and what must be seen to judge it."""

    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"
    ARTICLE = "article"


class Context(StrEnum):
    """What of the article a verdict on one paragraph may depend on; a change in it has the paragraph judged again."""

    PARAGRAPH = "paragraph"  # the paragraph alone
    NEIGHBOURS = "neighbours"  # with the paragraphs before and after it
    SECTION = "section"  # with its heading and everything under it
    ARTICLE = "article"  # with the whole article


class Quotations(StrEnum):
    """Whether the words inside quotation marks count: nobody edits what a source said."""

    INCLUDED = "included"
    EXEMPT = "exempt"


class Guideline(BaseModel):
    """One rule of the house. Its `rules` are its patterns, or a prompt guideline's fallback."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=ID_PATTERN, max_length=64)
    title: str = Field(min_length=1, max_length=80)  # imperative, for an editor: "Say why a source is not named"
    category: str = Field(min_length=1)  # the heading it stands under: sourcing, fairness, clarity ...
    severity: Severity
    scope: Scope
    kind: Kind
    context: Context = Context.NEIGHBOURS  # of a prompt guideline; one of scope `article` always sees the article
    languages: tuple[str, ...] = ()  # BCP 47 primary subtags it applies to; empty: all
    quotations: Quotations = Quotations.INCLUDED
    link: str = ""
    rules: tuple[Rule, ...] = ()
    guidance: str = Field(min_length=1)  # the rule as editors read it, Markdown
    instruction: str = ""  # what a model is asked to look for
    does_not_count: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()  # examples that break it
    compliant: tuple[str, ...] = ()  # examples that don't

    @field_validator("languages")
    @classmethod
    def _primary_subtags(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [language for language in languages if not re.fullmatch("[a-z]{2,3}", language)]:
            raise ValueError(f"{wrong[0]!r} is not a language: write its two or three small letters, en for en-GB")
        return languages

    @model_validator(mode="after")
    def _complete(self) -> "Guideline":
        if self.kind is Kind.PATTERN and not self.rules:
            raise ValueError('a pattern guideline needs "patterns" in its front matter')
        if self.kind is Kind.PROMPT and not self.instruction:
            raise ValueError('a prompt guideline needs a section "## Instruction"')
        return self

    @property
    def needs_article(self) -> bool:
        """Whether a verdict depends on the whole article."""
        return self.scope is Scope.ARTICLE or self.context is Context.ARTICLE

    def applies_to(self, language: str) -> bool:
        """Whether it is for articles in a language; one that isn't known could be any."""
        return not self.languages or language == UNKNOWN_LANGUAGE or language.split("-")[0].lower() in self.languages

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that can change a check or what is shown of it."""
        return _digest(self.model_dump(mode="json"))


class GuidelinePack(BaseModel):
    """The guidelines of a house, in the order they are checked and shown. Ids are unique."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=ID_PATTERN, max_length=64)
    guidelines: tuple[Guideline, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> "GuidelinePack":
        ids = [guideline.id for guideline in self.guidelines]
        if twice := sorted({id for id in ids if ids.count(id) > 1}):
            raise ValueError(f"guideline id {twice[0]!r} is there twice: give one of them another id")
        return self

    @cached_property
    def by_id(self) -> dict[str, Guideline]:
        return {guideline.id: guideline for guideline in self.guidelines}

    @cached_property
    def digest(self) -> str:
        return _digest([self.name, *(guideline.digest for guideline in self.guidelines)])

    def select(self, ids: tuple[str, ...] | None) -> tuple[Guideline, ...]:
        """The guidelines of these ids in the pack's order, all for None; raises UnknownGuideline."""
        if ids is None:
            return self.guidelines
        if unknown := [id for id in ids if id not in self.by_id]:
            raise UnknownGuideline(
                f"guideline {unknown[0]!r} is not in pack {self.name!r}: it has {', '.join(self.by_id)}"
            )
        return tuple(guideline for guideline in self.guidelines if guideline.id in ids)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
