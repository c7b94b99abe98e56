import numpy as np
import pytest

from evaluation.agreement import agreement, alpha
from evaluation.labels import LabelError, LabelledArticle
from tests.evaluation.build import labelled, labelled_set

NAN = np.nan
# Wikipedia, "Krippendorff's alpha": three coders, fifteen units
WIKIPEDIA = np.array(
    [
        [NAN, NAN, NAN, NAN, NAN, 3, 4, 1, 2, 1, 1, 3, 3, NAN, 3],
        [1, NAN, 2, 1, 3, 3, 4, 3, NAN, NAN, NAN, NAN, NAN, NAN, NAN],
        [NAN, NAN, 2, 1, 3, 4, 4, NAN, 2, 1, 1, 3, 3, NAN, 4],
    ]
)
TEXT = "One may go. Two may stay.\n\nThree may not. Four is all."


def read(
    id: str, *labels: tuple[str, str, str], by: tuple[str, ...] = ("ada", "bob"), **fields: object
) -> LabelledArticle:
    """TEXT, with labels as annotator, guideline and quote."""
    spans = [
        {"guideline": g, "start": TEXT.index(q), "end": TEXT.index(q) + len(q), "quote": q, "annotator": name}
        for name, g, q in labels
    ]
    return labelled(TEXT, id=id, annotators=by, **({"spans": spans} | fields))


def test_alpha_is_that_of_the_published_example():
    assert alpha(WIKIPEDIA) == pytest.approx(0.691358, abs=5e-7)
    assert alpha(WIKIPEDIA, "interval") == pytest.approx(0.810845, abs=5e-7)


@pytest.mark.parametrize("ratings", [[[0, 0], [0, 0]], [[1, NAN], [NAN, 0]], [[0, 0, 1], [0, 0, NAN]]])
def test_alpha_is_not_known_where_nothing_can_be_told_apart(ratings):
    assert alpha(np.array(ratings, float)) is None


def test_alpha_is_on_sentences():
    # ada 1 0 1 0, bob 1 0 0 0: of 8 ratings 3 are 1; observed 2/8, expected 2 * 3 * 5 / (8 * 7)
    found = agreement(labelled_set(read("a", ("ada", "g", "may go"), ("ada", "g", "Three may"), ("bob", "g", "One"))))
    assert [(one.guideline, one.sentences, one.labels) for one in found.guidelines] == [("g", 4, 3)]
    assert found.guidelines[0].alpha == pytest.approx(1 - (2 / 8) / (30 / 56))


def test_who_labelled_nothing_disagrees():
    found = agreement(labelled_set(read("a", ("ada", "g", "may go"))))
    assert found.guidelines[0].alpha == pytest.approx(0)
    assert found.guidelines[0].match.overlap.value == 0


def test_one_span_over_two_sentences_is_in_both():
    labels = [("ada", "g", "go. Two"), ("bob", "g", "One"), ("bob", "g", "Two may")]
    found = agreement(labelled_set(read("a", *labels)))
    assert found.guidelines[0].alpha == 1
    assert (found.guidelines[0].match.overlap.value, found.guidelines[0].match.exact.value) == (2 / 3, 0)


def test_an_article_that_one_has_read_says_nothing():
    labels = [("ada", "g", "may go"), ("bob", "g", "may go")]
    both, alone = read("a", *labels), read("b", ("ada", "g", "Four"), by=("ada",))
    assert agreement(labelled_set(both, alone)) == agreement(labelled_set(both))
    with pytest.raises(LabelError, match="has no article that two annotators have read"):
        agreement(labelled_set(alone))


def test_pairs_are_compared_on_what_both_have_read():
    first = read("a", ("ada", "g", "may go"), ("bob", "g", "may go"), ("bob", "h", "Four"))
    second = read("b", ("ada", "h", "Four is"), ("cleo", "h", "Four is all"), by=("ada", "cleo"))
    found = agreement(labelled_set(first, second))
    assert [(p.one, p.other, p.articles, p.match.overlap.value, p.match.exact.value) for p in found.pairs] == [
        ("ada", "bob", 1, pytest.approx(2 / 3), pytest.approx(2 / 3)),
        ("ada", "cleo", 1, 1, 0),
    ]
    assert [(one.guideline, one.labels, one.match.overlap.value) for one in found.guidelines] == [
        ("g", 2, 1),
        ("h", 3, pytest.approx(2 / 3)),
    ]


def test_hard_negatives_are_no_violations_and_their_annotator_a_reader():
    negative = {"guideline": "g", "start": 0, "end": 3, "quote": "One", "annotator": "bob"}
    found = agreement(labelled_set(read("a", ("ada", "g", "may go"), by=(), negatives=[negative])))
    assert found.guidelines[0].labels == 1
    assert found.guidelines[0].alpha == pytest.approx(0)


def test_articles_of_one_group_vary_together():
    labels = [("ada", "g", "may go"), ("bob", "g", "may go")]
    apart = agreement(labelled_set(read("a", *labels), read("b", labels[0])))
    together = agreement(labelled_set(read("a", *labels, group="x"), read("b", labels[0], group="x")))
    assert apart.guidelines[0].match.overlap.value == together.guidelines[0].match.overlap.value == 2 / 3
    assert (apart.guidelines[0].match.overlap.groups, together.guidelines[0].match.overlap.groups) == (2, 1)
