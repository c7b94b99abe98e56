"""What the model is shown in one call: the whole article where it fits, else windows, or an extract.

Budgets are tokens of article text, estimated at four characters each: the tokeniser is the provider's.

- Paragraphs that are judged one by one go into windows, in reading order. Each is asked about in one window only, and
  has its declared context in it, so that neighbouring windows overlap and no finding is given twice. A section of more
  than half the budget is cut to its heading and the paragraphs next to the one asked about.
- What needs the whole article and doesn't fit is judged on an extract: whole paragraphs word for word, never a summary.
  It keeps the headings, the opening, the close and the first paragraph of each section, then others spread evenly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.article import Article, Paragraph, ParagraphKind
from agent.units import Unit

CHARACTERS_PER_TOKEN = 4
LINE_TOKENS = 3  # a paragraph's number and line break
OPENING, CLOSE = 5, 3  # paragraphs that an extract keeps at both ends


@dataclass(frozen=True, slots=True)
class Reading:
    """Indices of paragraphs, ascending. Those shown but not asked about are context."""

    asked: tuple[int, ...]
    shown: tuple[int, ...]


def tokens_of(text: str) -> int:
    """A text's size in tokens, estimated."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def paragraph_tokens(paragraph: Paragraph) -> int:
    return tokens_of(paragraph.text) + LINE_TOKENS


def windows(article: Article, units: Sequence[Unit], budget: int) -> tuple[Reading, ...]:
    """Readings that ask about all of these units; a paragraph that is over the budget by itself has one alone."""
    sizes = [paragraph_tokens(paragraph) for paragraph in article.paragraphs]
    readings: list[Reading] = []
    asked: set[int] = set()
    shown: set[int] = set()
    size = 0
    for unit in units:
        context = _bounded(unit, sizes, budget // 2)
        more = sum(sizes[index] for index in context - shown)
        if asked and size + more > budget:
            readings.append(_reading(asked, shown))
            asked, shown, size = set(), set(), 0
            more = sum(sizes[index] for index in context)
        asked.update(unit.asked)
        shown |= context
        size += more
    if asked:
        readings.append(_reading(asked, shown))
    return tuple(readings)


def whole(article: Article, budget: int) -> Reading:
    """The article, or an extract of it where it is over the budget; asked about is what is shown."""
    sizes = [paragraph_tokens(paragraph) for paragraph in article.paragraphs]
    everything = range(len(sizes))
    if sum(sizes) <= budget:
        return Reading(tuple(everything), tuple(everything))
    kept: set[int] = set()
    left = budget
    for index in _by_weight(article):
        if index not in kept and sizes[index] <= left:
            kept.add(index)
            left -= sizes[index]
    kept = kept or {0}
    return _reading(kept, kept)


def share(article: Article, reading: Reading) -> float:
    """The part of the article's characters that a reading shows, 0-1."""
    total = sum(len(paragraph.text) for paragraph in article.paragraphs)
    return sum(len(article.paragraphs[index].text) for index in reading.shown) / total


def halves(reading: Reading) -> tuple[Reading, Reading] | None:
    """Two readings that ask about half each and show the same; None when there is but one paragraph to ask about."""
    middle = len(reading.asked) // 2
    if not middle:
        return None
    return Reading(reading.asked[:middle], reading.shown), Reading(reading.asked[middle:], reading.shown)


def _reading(asked: Iterable[int], shown: Iterable[int]) -> Reading:
    return Reading(tuple(sorted(asked)), tuple(sorted(shown)))


def _bounded(unit: Unit, sizes: Sequence[int], budget: int) -> set[int]:
    if sum(sizes[index] for index in unit.shown) <= budget:
        return set(unit.shown)
    near = {index + step for index in unit.asked for step in (-1, 0, 1)} | {unit.shown[0]}
    return near & set(unit.shown)


def _by_weight(article: Article) -> Iterable[int]:
    """Indices of paragraphs, those first that an extract needs most."""
    count = len(article.paragraphs)
    yield from range(min(OPENING, count))
    yield from range(max(0, count - CLOSE), count)
    headings = [p.index for p in article.paragraphs if p.kind is ParagraphKind.HEADING]
    yield from headings
    yield from (index + 1 for index in headings if index + 1 < count)
    yield from _spread(count)


def _spread(count: int) -> Iterable[int]:
    """0..count-1 from coarse to fine: wherever it is cut off, what came is spread evenly."""
    step = 1 << max(0, count - 1).bit_length()
    seen: set[int] = set()
    while step:
        for index in range(0, count, step):
            if index not in seen:
                seen.add(index)
                yield index
        step //= 2
