"""What only one of two versions found, in its sentence, for somebody to judge. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from agent.article import Article
from agent.sentences import sentences
from serving.shadow import Pair, Place


class FoundBy(StrEnum):
    CHAMPION = "champion"  # lost where the challenger is promoted
    CHALLENGER = "challenger"  # new then


@dataclass(frozen=True, slots=True)
class Disagreement:
    job: str  # the champion's check of the article
    guideline: str
    found_by: FoundBy
    place: Place


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Words in their sentence, or sentences where they go over one's end: `text[start:end]`."""

    text: str
    start: int
    end: int


def disagreements(pairs: Iterable[Pair]) -> list[Disagreement]:
    """The article that was compared last comes first; each in reading order."""
    found = []
    for pair in reversed(list(pairs)):
        of_article = [
            Disagreement(pair.job, each.guideline, found_by, place)
            for each in pair.guidelines
            for found_by, places in (
                (FoundBy.CHAMPION, each.only_champion),
                (FoundBy.CHALLENGER, each.only_challenger),
            )
            for place in places
        ]
        found += sorted(of_article, key=lambda one: (one.place.start, one.place.end, one.guideline))
    return found


def excerpt(article: Article, place: Place) -> Excerpt:
    """From the beginning of the sentence of the first word to the end of that of the last."""
    paragraph = article.paragraph_at(place.start)
    start, end = paragraph.start, max(paragraph.end, place.end)
    for first, last in sentences(paragraph.text):
        if paragraph.start + first <= place.start:
            start = paragraph.start + first
        if paragraph.start + last >= place.end:
            end = paragraph.start + last
            break
    return Excerpt(article.text[start:end], place.start - start, place.end - start)
