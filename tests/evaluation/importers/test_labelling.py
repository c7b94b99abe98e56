import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offsets import Utf16Offsets
from evaluation.importers.export import Export, OffsetUnit, Part, RawDocument, RawSpan, Reason
from evaluation.importers.label_map import LabelMap
from evaluation.importers.labelling import Defaults, Import, labelled_articles
from evaluation.labels import LabelledSet, read_labels, write_labels
from tests.evaluation.importers.build import bad, by_annotator, said, spans

WORDS = st.text(st.sampled_from("ab .,🚗é\n\r\t-1"), min_size=1, max_size=60)


def of(text: str, *raw: RawSpan, labels: LabelMap | None = None, unit: OffsetUnit = OffsetUnit.CODE_POINTS) -> Import:
    export = Export(documents=[RawDocument("x:0", "d", text, raw)])
    return labelled_articles(export, labels or LabelMap(), Defaults(unit=unit))


def span(
    start: int, end: int, *, label: str = "g", quote: str | None = None, place: str = "x:1", by: str = ""
) -> RawSpan:
    return RawSpan(place, label, (Part(start, end),), quote, by)


@given(st.data())
def test_both_units_import_the_same(data):
    text = data.draw(WORDS)
    ends = st.integers(0, len(text))
    parts = data.draw(st.lists(st.tuples(ends, ends), max_size=4))
    units = Utf16Offsets(text)
    as_points = of(text, *(span(a, b, by=str(n)) for n, (a, b) in enumerate(parts)))
    as_units = of(
        text,
        *(span(units.units(a), units.units(b), by=str(n)) for n, (a, b) in enumerate(parts)),
        unit=OffsetUnit.UTF16,
    )
    assert as_units.articles == as_points.articles
    assert bad(as_units) == bad(as_points)


@given(st.data())
def test_the_words_of_a_span_stay(data):
    text = data.draw(WORDS.filter(lambda text: "-" not in text and "1" not in text and text.strip()))
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    found = of(text, span(start, end))
    assert [quote.split() for _, _, quote in spans(found)] == (
        [text[start:end].split()] if text[start:end].strip() else []
    )


@given(st.data())
def test_what_is_imported_is_a_set_that_reads(tmp_path_factory, data):
    text = data.draw(WORDS)
    offsets = st.integers(-2, len(text) + 2)
    raw = [span(*data.draw(st.tuples(offsets, offsets))) for _ in range(4)]
    found = of(text, *raw)
    path = tmp_path_factory.mktemp("set") / "set.jsonl"
    write_labels(LabelledSet(name="set", articles=found.articles), path)
    assert read_labels(path).articles == found.articles
    if found.articles:
        assert sum(len(article.spans) for article in found.articles) + len(found.bad) == len(raw)


@pytest.mark.parametrize(
    ("text", "start", "end", "quote"),
    [
        ("The  car , \n is old", 3, 13, "car ,"),
        ("One.\n\n- Two three\n- Four", 6, 17, "Two three"),
        ("One.\n\n- Two three\n- Four", 0, 9, "One.\n\nT"),
        ("One.\n\n- Two three\n- Four", 13, 19, "hree"),
        ("A\tb\u2028c", 0, 5, "A b c"),
    ],
    ids=["white space", "marker before", "across a marker", "up to a marker", "breaks"],
)
def test_a_span_is_what_the_article_has_of_it(text, start, end, quote):
    assert [found for *_, found in spans(of(text, span(start, end)))] == [quote]


def test_a_list_marker_alone_is_not_in_the_article():
    found = of("One.\n\n- Two", span(6, 7))
    assert bad(found) == [("x:1", Reason.NOT_IN_TEXT)]
    assert said(found) == "'g': '-' at 6..7 is in the export's text, not in the article's"


def test_kinds_come_with_the_article():
    assert of("One.\n\n- Two").articles[0].kinds == ("text", "list")


def test_of_overlapping_labels_of_a_guideline_the_longest_is_kept():
    raw = [span(0, 3, place="x:1"), span(2, 9, place="x:2"), span(2, 9, place="x:3"), span(0, 3, by="bob"), span(9, 12)]
    found = of("One two three four", *raw)
    assert by_annotator(found) == [("d", "bob", "One"), ("d", "", "e two t"), ("d", "", "hre")]
    assert bad(found) == [("x:3", Reason.OVERLAP), ("x:1", Reason.OVERLAP)]
    assert found.bad[1].said == "g: 'One' shares characters with 'e two t' (x:2), which is kept"


def test_a_mapping_says_which_labels_are_wanted():
    labels = LabelMap({"Loaded_Language": "loaded-language", "Doubt": None})
    raw = [span(0, 3, label="Loaded_Language"), span(4, 7, label="Doubt"), span(8, 9, label="Slogans", place="x:9")]
    found = of("One two three", *raw, labels=labels)
    assert spans(found) == [("d", "loaded-language", "One")]
    assert found.left_out == {"label 'Doubt', by the mapping": 1}
    assert bad(found) == [("x:9", Reason.UNKNOWN_LABEL)]
    assert said(found) == "label 'Slogans' is not in the mapping: add it, with null to leave it out"


def test_a_text_too_long_for_an_article_is_reported():
    found = of("a" * 200_001, span(0, 1))
    assert (found.articles, bad(found)) == ((), [("x:0", Reason.NO_TEXT)])
    assert said(found).startswith("document 'd', labels: 1: the article has 200,001 characters")


def test_what_an_import_says_of_labels_and_articles():
    export = Export(documents=[RawDocument("x:0", "d", "Ein Satz.", (span(0, 3),))])
    defaults = Defaults(split="test", annotator="ada", language="de", provenance="annotated (csv)")
    article = labelled_articles(export, LabelMap(), defaults).articles[0]
    assert json.loads(article.model_dump_json(exclude_defaults=True)) == {
        "id": "d",
        "group": "d",
        "split": "test",
        "language": "de",
        "text": "Ein Satz.",
        "annotators": ["ada"],
        "spans": [
            {
                "guideline": "g",
                "start": 0,
                "end": 3,
                "quote": "Ein",
                "annotator": "ada",
                "provenance": "annotated (csv)",
            }
        ],
    }
