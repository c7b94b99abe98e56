import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.runs import (
    Bin,
    CheckedDocument,
    Direction,
    Raised,
    bins,
    changes,
    compare,
    effort,
    pairs,
    quantile,
    rate,
)

AT = datetime(2026, 11, 23, tzinfo=UTC)


def document(id: str, words: int = 1000, *, job: str = "", **fields: Any) -> CheckedDocument:
    found = fields.pop("found", None)
    made = CheckedDocument(
        job_id=job or f"job-{id}",
        user="ada",
        document=id,
        title="",
        document_id=id,
        blob=f"text-{id}",
        version="1",
        submitted=AT,
        words=words,
        score=90.0,
        cost=0.5,
        input_tokens=100,
        output_tokens=10,
        seconds=1.0,
        turnaround=2.0,
        findings={"g": found} if found is not None else {},
    )
    return replace(made, **fields)


def test_a_rate_is_worked_out_as_by_hand() -> None:
    """Findings 1 and 3 in 1,000 words each: 2 in 1,000 words; both ways of erring come to sqrt(4)/2000."""
    found = rate([document("a", found=1), document("b", found=3), document("c")], "g")
    assert (found.documents, found.hit, found.findings, found.words) == (2, 2, 4, 2000)
    between = 2 / 1 * ((1 - 2) ** 2 + (3 - 2) ** 2) / 2000**2
    error = math.sqrt(max(between, 4 / 2000**2)) / (4 / 2000)
    assert found.per_words.value == 2.0
    assert found.per_words.low == pytest.approx(2 * math.exp(-1.959964 * error), rel=1e-5)
    assert found.per_words.high == pytest.approx(2 * math.exp(1.959964 * error), rel=1e-5)
    assert (found.share.value, found.share.high) == (1.0, 1.0)
    assert found.share.low == pytest.approx(0.3424, abs=1e-4)  # Wilson, 2 of 2


def test_articles_are_drawn_and_not_words() -> None:
    even = rate([document(str(i), found=2) for i in range(10)], "g").per_words
    heaped = rate([document(str(i), found=20 * (i == 0)) for i in range(10)], "g").per_words
    assert even.value == heaped.value == 2.0
    assert heaped.high
    assert even.high
    assert heaped.high > 3 * even.high


def test_nothing_found_has_an_upper_limit() -> None:
    """3.69 expected findings give none in 2.5 of 100 cases."""
    found = rate([document("a", found=0), document("b", found=0)], "g").per_words
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(3.6889 / 2, abs=1e-4)


def test_nothing_checked_is_unknown_and_one_article_has_no_interval() -> None:
    assert rate([document("a")], "g").per_words.value is None
    one = rate([document("a", found=2)], "g").per_words
    assert (one.value, one.low, one.high) == (2.0, None, None)


def test_the_same_documents_tell_a_difference_sooner() -> None:
    """Both sides rise and fall with the article; B has one finding more in each."""
    counts = [0, 1, 2, 4, 6, 8, 10, 14, 20, 30]
    a = [document(f"d{i}", found=n) for i, n in enumerate(counts)]
    same = [document(f"d{i}", found=n + 3, job="x") for i, n in enumerate(counts)]
    other = [document(f"e{i}", found=n + 3) for i, n in enumerate(counts)]
    (paired,), (unpaired,) = compare(a, same), compare(a, other)
    assert paired.difference.value == unpaired.difference.value == 3.0
    assert unpaired.direction is Direction.ALIKE
    assert paired.difference.low is not None
    assert unpaired.difference.low is not None
    assert paired.difference.low > unpaired.difference.low + 3


def test_what_differs_comes_first_and_says_how() -> None:
    a = [document(f"a{i}", findings={"more": 0, "fewer": 9, "same": 5}) for i in range(12)]
    b = [document(f"b{i}", findings={"more": 6, "fewer": 1, "same": 5}) for i in range(12)]
    assert [(one.guideline, one.direction) for one in compare(a, b)] == [
        ("fewer", Direction.FEWER),
        ("more", Direction.MORE),
        ("same", Direction.ALIKE),
    ]


documents = st.lists(st.tuples(st.integers(0, 30), st.integers(50, 3000)), max_size=12)


@given(documents, documents)
def test_intervals_hold_their_values(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    a = [document(str(i), words, found=found) for i, (found, words) in enumerate(one)]
    b = [document(str(i), words, found=found, job="x") for i, (found, words) in enumerate(other)]
    for found in compare(a, b):
        for figure in (found.a.per_words, found.b.per_words, found.difference, found.a.share):
            if figure.value is not None and figure.low is not None and figure.high is not None:
                assert figure.low <= figure.value <= figure.high


def test_pairs_are_of_the_same_text() -> None:
    a = [document("same"), document("edited"), document("one"), document("gone")]
    b = [
        document("same", job="later"),
        document("edited", job="later2", blob="other"),
        document("one"),
        document("new"),
    ]
    found = pairs(a, b)
    assert [(x.job_id, y.job_id) for x, y in found.same_text] == [("job-same", "later")]
    assert (found.edited, found.same_job) == (1, 1)


def test_changes_are_what_one_side_alone_raised() -> None:
    counts = {"g": 2, "h": 1}
    found = pairs([document("d", findings=counts)], [document("d", job="later", findings={"g": 2})])
    raised = [
        Raised("job-d", "g", "kept"),
        Raised("job-d", "g", "lost"),
        Raised("job-d", "h", "B didn't check it"),
        Raised("later", "g", "kept"),
        Raised("later", "g", "gained"),
    ]
    (change,) = changes(found.same_text, raised)
    assert [one.fingerprint for one in change.lost] == ["lost"]
    assert [one.fingerprint for one in change.gained] == ["gained"]
    assert changes(found.same_text, raised, "h") == []


def test_scores_fall_into_tens() -> None:
    a = [document(str(i), score=score) for i, score in enumerate([0, 9.9, 10, 100, None])]
    found = bins(a, [document("x", score=95)])
    assert found[0] == Bin(0, 10, 2, 0)
    assert found[1] == Bin(10, 20, 1, 0)
    assert found[9] == Bin(90, 100, 1, 1)


def test_cost_is_unknown_where_one_is() -> None:
    priced = effort([document("a", cost=0.5), document("b", cost=1.5)])
    assert (priced.cost, priced.unpriced, priced.input_tokens) == (1.0, 0, 100)
    unpriced = effort([document("a", cost=0.5), document("b", cost=None)])
    assert (unpriced.cost, unpriced.unpriced) == (None, 1)
    assert effort([]).seconds is None


def test_quantiles_are_the_nearest_rank() -> None:
    assert [quantile(range(1, 21), part) for part in (0.5, 0.95, 1)] == [10, 19, 20]
    assert quantile([], 0.5) is None
