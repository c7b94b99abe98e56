import logging
import sys
from typing import Any

import pandas as pd
import pytest

from agent.guideline import GuidelinePack
from agent.pack_files import default_pack
from evaluation.expectations import ExpectationBroken, run_checks, validate
from evaluation.label_checks import Check
from evaluation.labels import LabelError, LabelledArticle, LabelledSet, LabelledSpan
from evaluation.validation import Level, Limits
from tests.evaluation.build import labelled, labelled_set

BRIDGE = "The mayor opened the bridge over the harbour on Monday morning with a short speech."
BREAD = "A baker from Oslo won the regional prize for rye bread for the second year running."
FEW = Limits(violations=1, negatives=0)
ERRORS = [
    *("has-articles", "unique-ids", "unique-texts", "language-set"),
    *("known-labels", "spans-inside", "spans-quoted", "no-overlaps"),
]
BETWEEN_SPLITS = ["groups-in-one-split", "no-near-duplicates"]
WARNINGS = ["enough-violations", "enough-negatives"]


@pytest.fixture(scope="module")
def pack() -> GuidelinePack:
    return default_pack()


def bridge(**fields: Any) -> LabelledArticle:
    return labelled(BRIDGE, ("dates", "on Monday morning"), **({"id": "bridge", "split": "dev"} | fields))


def bread(**fields: Any) -> LabelledArticle:
    return labelled(BREAD, ("dates", "second year"), **({"id": "bread"} | fields))


def span(start: int, end: int, quote: str, **fields: Any) -> LabelledSpan:
    return LabelledSpan.model_construct(guideline="dates", start=start, end=end, quote=quote, **fields)


def unchecked_set(*articles: LabelledArticle) -> LabelledSet:
    """A set as no file gives it: without the checks of reading."""
    return LabelledSet.model_construct(name="set", articles=articles)


def with_spans(article: LabelledArticle, *spans: LabelledSpan) -> LabelledArticle:
    return article.model_copy(update={"spans": spans})


def test_a_sound_set_meets_everything(pack: GuidelinePack):
    validation = validate(labelled_set(bridge(), bread()), pack, FEW)
    assert [e.name for e in validation.expectations] == [*ERRORS, *BETWEEN_SPLITS, *WARNINGS, "no-shared-phrases"]
    assert [e.seen for e in validation.expectations] == [2] * 13
    assert [e.failed for e in validation.expectations] == [0] * 13
    assert validation.sound
    assert (validation.splits, validation.articles, validation.words, validation.labels) == (("dev", "test"), 2, 31, 2)


def test_one_split_is_not_held_against_others(pack: GuidelinePack):
    validation = validate(labelled_set(bread()), pack, FEW)
    assert [e.name for e in validation.expectations] == [*ERRORS, *WARNINGS]


def test_only_errors_where_warnings_are_not_asked_for(pack: GuidelinePack):
    validation = validate(labelled_set(bridge(), bread()), pack, warnings=False)
    assert [e.name for e in validation.expectations] == [*ERRORS, *BETWEEN_SPLITS]


@pytest.mark.parametrize(
    ("articles", "name", "examples"),
    [
        ([], "has-articles", ("the set has no articles",)),
        (
            [bread(), labelled("Other words.", id="bread")],
            "unique-ids",
            ("'bread' (test): the id is there more than once",) * 2,
        ),
        (
            [bread(), bread(id="copy"), bridge()],
            "unique-texts",
            tuple(
                f"'{id}' (test): another article has the same text, "
                "'A baker from Oslo won the regional prize for rye bread for …'"
                for id in ("bread", "copy")
            ),
        ),
        ([bread(language="")], "language-set", ("'bread' (test): '' is not a language, such as en or en-GB",)),
        ([bread(language="und")], "language-set", ("'bread' (test): 'und' is not a language, such as en or en-GB",)),
        (
            [labelled(BREAD, ("date", "second year"))],
            "known-labels",
            ("'a' (test), date 63..74: pack 'house' has no guideline 'date'",),
        ),
        (
            [with_spans(bread(), span(80, 90, "ng."))],
            "spans-inside",
            (f"'bread' (test), dates 80..90: the text has characters 0..{len(BREAD)}",),
        ),
        (
            [with_spans(bread(), span(5, 5, ""))],
            "spans-inside",
            (f"'bread' (test), dates 5..5: the text has characters 0..{len(BREAD)}",),
        ),
        (
            [with_spans(bread(), span(-1, 1, "A"))],
            "spans-inside",
            (f"'bread' (test), dates -1..1: the text has characters 0..{len(BREAD)}",),
        ),
        (
            [with_spans(bread(), span(2, 7, "Baker"))],
            "spans-quoted",
            ("'bread' (test), dates 2..7 quotes 'Baker', and the text has 'baker' there",),
        ),
        (
            [labelled(BREAD, ("dates", "second year"), ("dates", "for the second"))],
            "no-overlaps",
            ("'a' (test), dates 63..74 overlaps 55..69: an annotator labels the same words once",),
        ),
        (
            [bridge(group="g"), bread(group="g")],
            "groups-in-one-split",
            (
                "'bridge' (dev): group 'g' stands in 2 splits",
                "'bread' (test): group 'g' stands in 2 splits",
            ),
        ),
        (
            [bread(), labelled(BREAD + " He wept.", id="late", split="dev")],
            "no-near-duplicates",
            (
                "'bread' (test): shares 86 % of its wording with 'late' (dev)",
                "'late' (dev): shares 86 % of its wording with 'bread' (test)",
            ),
        ),
    ],
)
def test_a_broken_set_fails_by_what_is_broken_alone(
    pack: GuidelinePack, articles: list[LabelledArticle], name: str, examples: tuple[str, ...]
):
    validation = validate(unchecked_set(*articles), pack, FEW)
    assert [(e.name, e.failed, e.examples) for e in validation.errors] == [(name, len(examples), examples)]
    assert not validation.sound


def test_labels_that_touch_differ_or_are_of_two_annotators_do_not_overlap(pack: GuidelinePack):
    article = with_spans(
        bread(),
        span(63, 69, "second", annotator="ana"),
        span(69, 74, " year", annotator="ana"),
        span(63, 74, "second year", annotator="bo"),
        LabelledSpan(guideline="hedging", start=63, end=74, quote="second year", annotator="ana"),
    )
    assert validate(labelled_set(article), pack, FEW).errors == ()


def test_a_violation_cannot_be_its_own_hard_negative(pack: GuidelinePack):
    article = bread()
    doubted = article.model_copy(update={"negatives": article.spans})
    (error,) = validate(labelled_set(doubted), pack, FEW).errors
    assert (error.name, error.failed) == ("no-overlaps", 1)


def test_half_the_wording_is_too_much_and_less_is_not(pack: GuidelinePack):
    words = [f"w{number}" for number in range(34)]
    half = labelled(" ".join(words[:24]), id="a", split="dev"), labelled(" ".join(words[:14] + words[24:]), id="b")
    # each has 20 runs of five words, and they share 10
    assert validate(labelled_set(*half), pack, FEW).sound
    validation = validate(labelled_set(*half), pack, Limits(similarity=10 / 30))
    assert [e.name for e in validation.errors] == ["no-near-duplicates"]


def test_too_few_labels_and_shared_phrases_only_warn(pack: GuidelinePack):
    phrase = "It will be on the first Monday of the month."
    articles = [
        labelled(f"{BRIDGE} {phrase}", ("dates", "on the first Monday"), id="bridge", split="dev"),
        labelled(f"{BREAD} {phrase.upper()}", ("dates", "ON THE FIRST MONDAY"), id="bread"),
    ]
    validation = validate(labelled_set(*articles), pack)
    assert validation.sound
    assert [(e.name, e.level, e.examples) for e in validation.warnings] == [
        ("enough-violations", Level.WARNING, ("dates (dev), violations: 1", "dates (test), violations: 1")),
        (
            "enough-negatives",
            Level.WARNING,
            ("dates (dev), hard negatives: 0, 0 %", "dates (test), hard negatives: 0, 0 %"),
        ),
        (
            "no-shared-phrases",
            Level.WARNING,
            (
                "'bridge' (dev), dates 95..114: 'on the first Monday' is labelled in 'bread' (test), too",
                "'bread' (test), dates 95..114: 'ON THE FIRST MONDAY' is labelled in 'bridge' (dev), too",
            ),
        ),
    ]


def test_shorter_phrases_may_be_shared(pack: GuidelinePack):
    articles = [bridge(), labelled(f"{BREAD} They met on Monday morning.", ("dates", "on Monday morning"))]
    assert validate(labelled_set(*articles), pack, FEW).warnings == ()
    (warning,) = validate(labelled_set(*articles), pack, FEW.model_copy(update={"shared_words": 3})).warnings
    assert (warning.name, warning.failed) == ("no-shared-phrases", 2)


def test_an_expectation_that_cannot_be_looked_at_is_not_met_in_silence():
    check = Check("lost", "Lost", Level.ERROR, "articles", (("ExpectColumnValuesToBeUnique", {"column": "no"}),), str)
    with pytest.raises(ExpectationBroken, match=r"expectation 'lost' .* The column .no. .* does not exist"):
        run_checks({"articles": pd.DataFrame({"id": ["a"]})}, [check])


def test_great_expectations_says_nothing(
    pack: GuidelinePack, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.DEBUG):
        validate(labelled_set(bridge(), bread(language="und")), pack)
    assert capfd.readouterr() == ("", "")
    assert [record.name for record in caplog.records if record.name.startswith("great_expectations")] == []


def test_without_great_expectations_it_says_how_to_get_it(pack: GuidelinePack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    with pytest.raises(LabelError, match=r"isn't installed: pip install 'copydesk\[evaluation\]'"):
        validate(labelled_set(bread()), pack)
