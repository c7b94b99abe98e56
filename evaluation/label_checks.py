"""What is expected of a labelled set, as data: classes of Great Expectations by name, with their arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from agent.article import UNKNOWN_LANGUAGE
from agent.guideline import GuidelinePack
from evaluation.label_tables import ARTICLES, BALANCE, SPANS
from evaluation.validation import Level, Limits

_QUOTE_CHARACTERS = 60  # of a text that an example shows
_LANGUAGE = rf"^(?!{UNKNOWN_LANGUAGE}$)[A-Za-z]{{2,3}}(?:-[A-Za-z0-9]{{1,8}})*$"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """What is expected of each row of a table, or of the table."""

    name: str
    title: str
    level: Level
    table: str
    expected: tuple[tuple[str, dict[str, Any]], ...]
    say: Callable[[Row], str]  # a row that failed, as a sentence; of an expectation on the whole table {}


def checks_of(pack: GuidelinePack, limits: Limits, *, several_splits: bool, warnings: bool) -> tuple[Check, ...]:
    """In the order they are shown; what leaks between splits needs several of them."""
    errors = (*_article_checks(), *_span_checks(pack), *(_split_checks(limits) if several_splits else ()))
    return (*errors, *_warning_checks(limits, several_splits)) if warnings else errors


def _article_checks() -> tuple[Check, ...]:
    def check(name: str, title: str, kind: str, arguments: dict[str, Any], say: Callable[[Row], str]) -> Check:
        return Check(name, title, Level.ERROR, ARTICLES, ((kind, arguments),), say)

    return (
        check(
            "has-articles",
            "There are articles",
            "ExpectTableRowCountToBeBetween",
            {"min_value": 1},
            lambda _: "the set has no articles",
        ),
        check(
            "unique-ids",
            "Ids are unique",
            "ExpectColumnValuesToBeUnique",
            {"column": "id"},
            lambda row: f"{_article(row)}: the id is there more than once",
        ),
        check(
            "unique-texts",
            "No text stands twice in a split",
            "ExpectCompoundColumnsToBeUnique",
            {"column_list": ["split", "text"]},
            lambda row: f"{_article(row)}: another article has the same text, {_short(row['text'])}",
        ),
        check(
            "language-set",
            "Each article names its language",
            "ExpectColumnValuesToMatchRegex",
            {"column": "language", "regex": _LANGUAGE},
            lambda row: f"{_article(row)}: {row['language']!r} is not a language, such as en or en-GB",
        ),
    )


def _span_checks(pack: GuidelinePack) -> tuple[Check, ...]:
    def check(name: str, title: str, say: Callable[[Row], str], *expected: tuple[str, dict[str, Any]]) -> Check:
        return Check(name, title, Level.ERROR, SPANS, expected, say)

    return (
        check(
            "known-labels",
            "Labels are of guidelines of the pack",
            lambda row: f"{_span(row)}: pack {pack.name!r} has no guideline {row['guideline']!r}",
            ("ExpectColumnValuesToBeInSet", {"column": "guideline", "value_set": sorted(pack.by_id)}),
        ),
        check(
            "spans-inside",
            "Labels lie inside the text",
            lambda row: f"{_span(row)}: the text has characters 0..{row['length']}",
            ("ExpectColumnValuesToBeBetween", {"column": "start", "min_value": 0}),
            ("ExpectColumnPairValuesAToBeGreaterThanB", {"column_A": "end", "column_B": "start"}),
            (
                "ExpectColumnPairValuesAToBeGreaterThanB",
                {"column_A": "length", "column_B": "end", "or_equal": True},
            ),
        ),
        check(
            "spans-quoted",
            "Labels quote the text",
            lambda row: f"{_span(row)} quotes {_short(row['quote'])}, and the text has {_short(row['found'])} there",
            ("ExpectColumnPairValuesToBeEqual", {"column_A": "quote", "column_B": "found"}),
        ),
        check(
            "no-overlaps",
            "No two labels of a guideline overlap",
            lambda row: f"{_span(row)} overlaps {row['overlaps']}: an annotator labels the same words once",
            ("ExpectColumnValuesToBeNull", {"column": "overlaps"}),
        ),
    )


def _split_checks(limits: Limits) -> tuple[Check, ...]:
    """What makes a split see the other."""
    similar = {"column": "similarity", "max_value": limits.similarity, "strict_max": True}
    return (
        Check(
            "groups-in-one-split",
            "No group stands in two splits",
            Level.ERROR,
            ARTICLES,
            (("ExpectColumnValuesToBeBetween", {"column": "splits", "max_value": 1}),),
            lambda row: f"{_article(row)}: group {row['group']!r} stands in {row['splits']} splits",
        ),
        Check(
            "no-near-duplicates",
            f"No article shares {_percent(limits.similarity)} of its wording with another split",
            Level.ERROR,
            ARTICLES,
            (("ExpectColumnValuesToBeBetween", similar),),
            lambda row: (
                f"{_article(row)}: shares {_percent(row['similarity'])} of its wording with {row['similar_to']}"
            ),
        ),
    )


def _warning_checks(limits: Limits, several_splits: bool) -> tuple[Check, ...]:
    balance = (
        Check(
            "enough-violations",
            f"Each labelled guideline has {limits.violations} violations in a split",
            Level.WARNING,
            BALANCE,
            (("ExpectColumnValuesToBeBetween", {"column": "violations", "min_value": limits.violations}),),
            lambda row: f"{_pair(row)}, violations: {row['violations']}",
        ),
        Check(
            "enough-negatives",
            f"Each labelled guideline has {_percent(limits.negatives)} hard negatives in a split",
            Level.WARNING,
            BALANCE,
            (("ExpectColumnValuesToBeBetween", {"column": "negative_share", "min_value": limits.negatives}),),
            lambda row: f"{_pair(row)}, hard negatives: {row['negatives']}, {_percent(row['negative_share'])}",
        ),
    )
    shared = Check(
        "no-shared-phrases",
        f"No quote of {limits.shared_words} words is labelled in two splits",
        Level.WARNING,
        SPANS,
        (("ExpectColumnValuesToBeNull", {"column": "also_in"}),),
        lambda row: f"{_span(row)}: {_short(row['quote'])} is labelled in {row['also_in']}, too",
    )
    return (*balance, shared) if several_splits else balance


def _article(row: Row) -> str:
    return f"{row['id']!r} ({row['split']})"


def _span(row: Row) -> str:
    return f"{row['article']!r} ({row['split']}), {row['guideline']} {row['start']}..{row['end']}"


def _pair(row: Row) -> str:
    return f"{row['guideline']} ({row['split']})"


def _short(text: str) -> str:
    return repr(shorten(text, _QUOTE_CHARACTERS, placeholder=" …"))


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"
