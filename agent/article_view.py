"""An article as rules see it: cut into the units of each scope, once for all rules."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from operator import eq

import regex

from agent.article import Article, Paragraph, ParagraphKind
from agent.pattern_leads import WordStarts, is_familiar, lower
from agent.quotations import quotations
from agent.rules import RuleScope
from agent.sentences import sentences

PLACEHOLDER = "\ufffc"  # stands where a document has something that is no text
_CURLY_APOSTROPHE = regex.compile(r"(?<=\w)’(?=\w)")


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of the article that a rule looks at by itself."""

    start: int  # in the article's text
    text: str  # with straight apostrophes inside words, so that "don't" in a rule finds both


class ArticleView:
    """Shared by every rule that looks at one article; everything is worked out when it is first asked for."""

    def __init__(self, article: Article) -> None:
        self.article = article
        self._repeating: dict[RuleScope, list[Unit]] = {}

    def units(self, scope: RuleScope) -> list[Unit]:
        return _BY_SCOPE[scope](self)

    def units_with(self, texts: Iterable[str], scope: RuleScope) -> list[Unit]:
        """The units of a scope in which one of these texts, in lower case, may stand."""
        places = sorted({place for text in texts for place in _places(text, self.lower_text)})
        if not places:
            return []
        units = self.units(scope)
        begins = [unit.start for unit in units]
        positions = sorted({bisect_right(begins, place) - 1 for place in places})
        return [units[position] for position in positions if position >= 0]

    def repeating_units(self, scope: RuleScope) -> list[Unit]:
        """The units of a scope in which anywhere two equal words, whatever their case, follow each other."""
        if scope not in self._repeating:
            self._repeating[scope] = [unit for unit in self.units(scope) if _repeats_a_word(unit.text)]
        return self._repeating[scope]

    @cached_property
    def text(self) -> str:
        """The article's text with straight apostrophes inside words; offsets are the same."""
        return _CURLY_APOSTROPHE.sub("'", self.article.text)

    @cached_property
    def is_familiar(self) -> bool:
        """Whether the short cuts of `pattern_leads` hold in this text."""
        return is_familiar(self.text)

    @cached_property
    def word_starts(self) -> WordStarts:
        return WordStarts(self.lower_text)

    @cached_property
    def lower_text(self) -> str:
        return lower(self.text)

    @cached_property
    def all_paragraphs(self) -> list[Unit]:
        return [self._unit(paragraph.start, paragraph.end) for paragraph in self.article.paragraphs]

    @cached_property
    def headings(self) -> list[Unit]:
        return self._of_kind(ParagraphKind.HEADING)

    @cached_property
    def list_items(self) -> list[Unit]:
        return self._of_kind(ParagraphKind.LIST_ITEM)

    @cached_property
    def body(self) -> list[Unit]:
        return self._of_kind(ParagraphKind.TEXT, ParagraphKind.QUOTE)

    @cached_property
    def sentences(self) -> list[Unit]:
        """Sentences of everything but headings."""
        return [
            self._unit(paragraph.start + start, paragraph.start + end)
            for paragraph in self.article.paragraphs
            if paragraph.kind is not ParagraphKind.HEADING
            for start, end in sentences(paragraph.text)
        ]

    @cached_property
    def quoted(self) -> list[tuple[int, int]]:
        """Spans of quotations, in order; a block quote is one as a whole."""
        return [span for paragraph in self.article.paragraphs for span in _quoted(paragraph)]

    @cached_property
    def _quoted_starts(self) -> list[int]:
        return [start for start, _ in self.quoted]

    def is_quoted(self, start: int, end: int) -> bool:
        """Whether a stretch touches a quotation."""
        at = bisect_right(self._quoted_starts, end - 1)
        return at > 0 and self.quoted[at - 1][1] > start

    def _of_kind(self, *kinds: ParagraphKind) -> list[Unit]:
        return [self._unit(p.start, p.end) for p in self.article.paragraphs if p.kind in kinds]

    def _unit(self, start: int, end: int) -> Unit:
        return Unit(start, self.text[start:end])


def _places(text: str, whole: str) -> Iterator[int]:
    at = whole.find(text)
    while at >= 0:
        yield at
        at = whole.find(text, at + 1)


def _repeats_a_word(text: str) -> bool:
    words = text.casefold().split()
    return any(map(eq, words, islice(words, 1, None)))


def _quoted(paragraph: Paragraph) -> list[tuple[int, int]]:
    if paragraph.kind is ParagraphKind.QUOTE:
        return [(paragraph.start, paragraph.end)]
    return [(paragraph.start + start, paragraph.start + end) for start, end in quotations(paragraph.text)]


_BY_SCOPE: dict[RuleScope, Callable[[ArticleView], list[Unit]]] = {
    RuleScope.TEXT: lambda view: view.all_paragraphs,
    RuleScope.HEADING: lambda view: view.headings,
    RuleScope.SENTENCE: lambda view: view.sentences,
    RuleScope.PARAGRAPH: lambda view: view.body,
    RuleScope.LIST: lambda view: view.list_items,
}
