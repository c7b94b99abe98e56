"""A model's quote to its exact place in the article, or "not found".

Models copy words well and count characters badly, so they are asked for quotes only. Four steps,
each tried in the paragraph the model named before the others:

1. exact;
2. folded: case, typographic quotes and dashes, accents, invisible characters and runs of white space don't matter;
3. ends: the pieces around an ellipsis, or the first and last three words, in order and near each other;
4. fuzzy: the best alignment by edit distance (rapidfuzz), for typos and dropped words.

A span lies in one paragraph, and no two quotes of one answer get the same span.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz

from agent.article import Article, Paragraph

END_WORDS = 3
ENDS_MAX_CHARACTERS = 1000  # between the outer ends; further apart they have nothing to do with each other
ENDS_RATIO = 75.0  # of the span between matching ends to the quote, where no ellipsis says what was left out
FUZZY_CUTOFF = 85.0  # at this none of 100 invented quotes was accepted and 95 of 100 typos found
FUZZY_MIN_CHARACTERS = 12  # shorter quotes resemble too much by chance
ELLIPSIS = re.compile(r"\s*(?:…|\.\s?\.\s?\.)\s*|\s*\[\s*\]\s*")

_PUNCTUATION = str.maketrans(
    dict.fromkeys("‘’‚‛′´`", "'") | dict.fromkeys("“”„‟″«»", '"') | dict.fromkeys("‐‑‒–—―−", "-"),
)


class AnchorMethod(StrEnum):
    """How a quote was found."""

    EXACT = "exact"
    FOLDED = "folded"
    ENDS = "ends"
    FUZZY = "fuzzy"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A quote's place: `article.text[start:end]`, in code points."""

    start: int
    end: int
    method: AnchorMethod


def fold(text: str) -> str:
    """A text as step 2 compares it."""
    return Folded.of(text).text


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text and, for each of its characters, the position it came from."""

    text: str
    positions: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> "Folded":
        characters: list[str] = []
        positions: list[int] = []
        for position, character in enumerate(text):
            for piece in _fold_character(character):
                if piece == " " and (not characters or characters[-1] == " "):
                    continue
                characters.append(piece)
                positions.append(position)
        if characters and characters[-1] == " ":
            characters.pop()
            positions.pop()
        return cls("".join(characters), tuple(positions))


class Anchors:
    """Finds quotes in one article, or in those paragraphs of it whose indices are `within`.

    Keeps what it gave out, so equal quotes get different places.
    """

    def __init__(self, article: Article, *, within: tuple[int, ...] | None = None) -> None:
        self._article = article
        self._paragraphs = article.paragraphs if within is None else tuple(article.paragraphs[i] for i in within)
        self._folded: dict[int, Folded] = {}
        self._taken: set[tuple[int, int]] = set()

    def find(self, quote: str, *, paragraph: int | None = None) -> Anchor | None:
        """The place of `quote`, or None. `paragraph` is the index of the paragraph it is said to stand in."""
        quote = quote.strip()
        if not quote:
            return None
        paragraphs = self._in_order(paragraph)
        for step in (self._exact, self._by_fold, self._by_ends, self._by_resemblance):
            for candidate in paragraphs:
                for anchor in step(quote, candidate):
                    if (anchor.start, anchor.end) not in self._taken:
                        self._taken.add((anchor.start, anchor.end))
                        return anchor
        return None

    def _in_order(self, hint: int | None) -> list[Paragraph]:
        return sorted(self._paragraphs, key=lambda paragraph: paragraph.index != hint)

    def _fold_of(self, paragraph: Paragraph) -> Folded:
        if paragraph.index not in self._folded:
            self._folded[paragraph.index] = Folded.of(paragraph.text)
        return self._folded[paragraph.index]

    def _exact(self, quote: str, paragraph: Paragraph) -> Iterator[Anchor]:
        for at in _occurrences(quote, paragraph.text):
            yield Anchor(paragraph.start + at, paragraph.start + at + len(quote), AnchorMethod.EXACT)

    def _by_fold(self, quote: str, paragraph: Paragraph) -> Iterator[Anchor]:
        wanted, folded = fold(quote), self._fold_of(paragraph)
        for at in _occurrences(wanted, folded.text) if wanted else ():
            anchor = _unfold(paragraph, folded, at, at + len(wanted), AnchorMethod.FOLDED)
            if fold(self._article.text[anchor.start : anchor.end]) == wanted:
                yield anchor

    def _by_ends(self, quote: str, paragraph: Paragraph) -> Iterator[Anchor]:
        pieces = [fold(piece) for piece in ELLIPSIS.split(quote) if fold(piece)]
        open_middle = len(pieces) > 1
        words = fold(quote).split()
        if not open_middle:
            if len(words) < 2 * END_WORDS:
                return
            pieces = [" ".join(words[:END_WORDS]), " ".join(words[-END_WORDS:])]
        folded = self._fold_of(paragraph)
        for start in _occurrences(pieces[0], folded.text):
            end = _after_in_order(pieces, folded.text, start)
            if end is None:
                return
            if open_middle or fuzz.ratio(" ".join(words), folded.text[start:end]) >= ENDS_RATIO:
                yield _unfold(paragraph, folded, start, end, AnchorMethod.ENDS)

    def _by_resemblance(self, quote: str, paragraph: Paragraph) -> Iterator[Anchor]:
        wanted, folded = fold(quote), self._fold_of(paragraph)
        if len(wanted) < FUZZY_MIN_CHARACTERS or len(folded.text) < len(wanted) // 2:
            return
        if len(folded.text) < len(wanted):  # the alignment slides the shorter over the longer
            if fuzz.ratio(wanted, folded.text) >= FUZZY_CUTOFF:
                yield _unfold(paragraph, folded, 0, len(folded.text), AnchorMethod.FUZZY)
            return
        found = fuzz.partial_ratio_alignment(wanted, folded.text, score_cutoff=FUZZY_CUTOFF)
        if found is None:
            return
        start, end = _to_words(folded.text, found.dest_start, found.dest_end)
        if fuzz.ratio(wanted, folded.text[start:end]) >= FUZZY_CUTOFF:
            yield _unfold(paragraph, folded, start, end, AnchorMethod.FUZZY)


def _fold_character(character: str) -> str:
    if character < "\x7f":
        if character.isspace():
            return " "
        return character.lower() if character.isprintable() else ""
    if unicodedata.category(character) in ("Cc", "Cf", "Mn"):
        return ""
    plain = unicodedata.normalize("NFKD", character.translate(_PUNCTUATION)).casefold()
    kept = "".join(piece for piece in plain if unicodedata.category(piece) not in ("Cf", "Mn"))
    return " ".join(kept.split()) or " " if character.isspace() else kept


def _occurrences(wanted: str, text: str) -> Iterator[int]:
    """Where `wanted` stands as whole words, then, if it has several words, where it stands at all."""
    bounded: list[int] = []
    loose: list[int] = []
    at = text.find(wanted)
    while at >= 0:
        (loose if _cuts_a_word(text, at, wanted) else bounded).append(at)
        at = text.find(wanted, at + 1)
    yield from bounded
    if " " in wanted:
        yield from loose


def _cuts_a_word(text: str, at: int, piece: str) -> bool:
    return _joins(text, at, piece[0]) or _joins(text, at + len(piece), piece[-1])


def _joins(text: str, at: int, edge: str) -> bool:
    """Whether a cut at `at` would go through a word."""
    return 0 < at < len(text) and edge.isalnum() and text[at - 1].isalnum() and text[at].isalnum()


def _after_in_order(pieces: list[str], text: str, start: int) -> int | None:
    position = start
    for piece in pieces:
        at = text.find(piece, position)
        while at >= 0 and _cuts_a_word(text, at, piece):
            at = text.find(piece, at + 1)
        if at < 0 or at + len(piece) - start > ENDS_MAX_CHARACTERS:
            return None
        position = at + len(piece)
    return position


def _to_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Widens a stretch to whole words and trims white space at its ends."""
    while 0 < start < len(text) and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while 0 < end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    while start < end and text[start] == " ":
        start += 1
    while end > start and text[end - 1] == " ":
        end -= 1
    return start, end


def _unfold(paragraph: Paragraph, folded: Folded, start: int, end: int, method: AnchorMethod) -> Anchor:
    first, last = folded.positions[start], folded.positions[end - 1] + 1
    while last < len(paragraph.text) and unicodedata.category(paragraph.text[last]) == "Mn":
        last += 1  # a combining accent belongs to its letter
    return Anchor(paragraph.start + first, paragraph.start + last, method)
