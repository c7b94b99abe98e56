"""A labelled set as tables, with what must be looked up across articles already in a column."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from evaluation.labels import LabelledArticle, LabelledSet, LabelledSpan
from evaluation.near_duplicates import closest_elsewhere, words_of

ARTICLES, SPANS, BALANCE = "articles", "spans", "balance"

_ARTICLE_COLUMNS = ("id", "group", "split", "language", "text", "splits", "similarity", "similar_to")
_SPAN_COLUMNS = (
    *("article", "split", "violation", "guideline", "annotator", "start", "end", "length", "quote", "found"),
    *("overlaps", "also_in"),
)
_BALANCE_COLUMNS = ("guideline", "split", "violations", "negatives", "negative_share")


@dataclass(frozen=True, slots=True)
class _Row:
    """A label, a violation or a hard negative."""

    article: str
    split: str
    violation: bool
    guideline: str
    annotator: str
    start: int
    end: int
    length: int  # of the article's text
    quote: str
    found: str  # in the text, where the label is


def tables_of(labelled: LabelledSet, shared_words: int) -> dict[str, pd.DataFrame]:
    """Articles, spans (hard negatives, too), and guidelines by split; quotes under `shared_words` may be shared."""
    by_article = [list(_rows(article)) for article in labelled.articles]
    spans = [row for rows in by_article for row in rows]
    return {
        ARTICLES: pd.DataFrame(_articles(labelled), columns=_ARTICLE_COLUMNS),
        SPANS: pd.DataFrame(
            [
                {**asdict(row), "overlaps": overlaps, "also_in": also_in}
                for row, overlaps, also_in in zip(
                    spans,
                    [other for rows in by_article for other in _overlaps(rows)],
                    _elsewhere(spans, shared_words),
                    strict=True,
                )
            ],
            columns=_SPAN_COLUMNS,
        ),
        BALANCE: pd.DataFrame(_balance(spans), columns=_BALANCE_COLUMNS),
    }


def _articles(labelled: LabelledSet) -> Iterator[dict[str, Any]]:
    splits: dict[str, set[str]] = defaultdict(set)
    for article in labelled.articles:
        splits[article.group].add(article.split)
    closest = closest_elsewhere([a.text for a in labelled.articles], [a.split for a in labelled.articles])
    for article, similar in zip(labelled.articles, closest, strict=True):
        other = labelled.articles[similar.index] if similar else None
        yield {
            **article.model_dump(include={"id", "group", "split", "language", "text"}),
            "splits": len(splits[article.group]),
            "similarity": similar.similarity if similar else 0.0,
            "similar_to": f"{other.id!r} ({other.split})" if other else None,
        }


def _rows(article: LabelledArticle) -> Iterator[_Row]:
    def row(span: LabelledSpan, violation: bool) -> _Row:
        return _Row(
            article=article.id,
            split=article.split,
            violation=violation,
            guideline=span.guideline,
            annotator=span.annotator,
            start=span.start,
            end=span.end,
            length=len(article.text),
            quote=span.quote,
            found=article.text[max(span.start, 0) : max(span.end, 0)],
        )

    yield from (row(span, True) for span in article.spans)
    yield from (row(span, False) for span in article.negatives)


def _overlaps(rows: list[_Row]) -> list[str | None]:
    """Of each label of one article an earlier one with the same guideline and annotator that it overlaps."""
    result: list[str | None] = [None] * len(rows)
    furthest: dict[tuple[str, str], _Row] = {}
    for at in sorted(range(len(rows)), key=lambda at: (rows[at].start, rows[at].end)):
        row = rows[at]
        before = furthest.get((row.guideline, row.annotator))
        if before and row.start < before.end:
            result[at] = f"{before.start}..{before.end}"
        if before is None or row.end > before.end:
            furthest[row.guideline, row.annotator] = row
    return result


def _elsewhere(rows: list[_Row], shared_words: int) -> Iterator[str | None]:
    """Of each label an article of another split that labels the same words."""
    first: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    quotes = [words_of(row.quote) for row in rows]
    for row, words in zip(rows, quotes, strict=True):
        first[words].setdefault(row.split, row.article)
    for row, words in zip(rows, quotes, strict=True):
        others = (f"{id!r} ({split})" for split, id in first[words].items() if split != row.split)
        yield next(others, None) if len(words) >= shared_words else None


def _balance(rows: list[_Row]) -> Iterator[dict[str, Any]]:
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        counts[row.split, row.guideline][0 if row.violation else 1] += 1
    for (split, guideline), (violations, negatives) in sorted(counts.items()):
        yield {
            "guideline": guideline,
            "split": split,
            "violations": violations,
            "negatives": negatives,
            "negative_share": negatives / (violations + negatives),
        }
