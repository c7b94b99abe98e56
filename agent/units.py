"""What a verdict is given on: the least stretch of an article that is judged by itself, with what is seen beside it.

A guideline of scope sentence or paragraph is judged paragraph by paragraph, each with its declared context; one that
needs the whole article has a single unit. Where nothing of a unit has changed, neither has its verdict.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from agent.article import Article, Paragraph, ParagraphKind
from agent.guideline import Context, Guideline


@dataclass(frozen=True, slots=True)
class Unit:
    """Indices of paragraphs, ascending. Those asked about are among those shown."""

    asked: tuple[int, ...]
    shown: tuple[int, ...]


class Units:
    """The units of one article, worked out once for each kind of context."""

    def __init__(self, article: Article) -> None:
        self._article = article
        self._all = tuple(range(len(article.paragraphs)))
        self._section_of = _sections(article.paragraphs)
        self._by_context: dict[Context, tuple[Unit, ...]] = {}
        self._digests: dict[Unit, bytes] = {}
        self._facts = [
            json.dumps([p.kind, p.level, p.text], ensure_ascii=False).encode("utf-8") for p in article.paragraphs
        ]

    def of(self, guideline: Guideline) -> tuple[Unit, ...]:
        context = Context.ARTICLE if guideline.needs_article else guideline.context
        if context not in self._by_context:
            self._by_context[context] = self._split(context)
        return self._by_context[context]

    def _split(self, context: Context) -> tuple[Unit, ...]:
        if context is Context.ARTICLE:
            return (Unit(self._all, self._all),)
        return tuple(Unit((index,), self._seen_with(index, context)) for index in self._all)

    def _seen_with(self, index: int, context: Context) -> tuple[int, ...]:
        if context is Context.PARAGRAPH:
            return (index,)
        if context is Context.NEIGHBOURS:
            return self._all[max(0, index - 1) : index + 2]
        return self._section_of[index]

    def digest(self, unit: Unit) -> bytes:
        """SHA-256 over what is asked and what is shown; of a whole article over its title, too."""
        if unit not in self._digests:
            self._digests[unit] = self._digest(unit)
        return self._digests[unit]

    def _digest(self, unit: Unit) -> bytes:
        whole = unit.shown == self._all == unit.asked
        facts = [self._article.language.encode(), self._article.title.encode() if whole else b""]
        for index in unit.shown:
            facts += [b"asked" if index in unit.asked else b"shown", self._facts[index]]
        return hashlib.sha256(b"\x00".join(facts)).digest()


def asked(units: Iterable[Unit]) -> tuple[int, ...]:
    """All that these units ask about."""
    return tuple(sorted({index for unit in units for index in unit.asked}))


def _sections(paragraphs: tuple[Paragraph, ...]) -> dict[int, tuple[int, ...]]:
    """For each paragraph all paragraphs of its section, heading first."""
    sections: list[list[int]] = [[]]
    for paragraph in paragraphs:
        if paragraph.kind is ParagraphKind.HEADING and sections[-1]:
            sections.append([])
        sections[-1].append(paragraph.index)
    return {index: tuple(section) for section in sections for index in section}
