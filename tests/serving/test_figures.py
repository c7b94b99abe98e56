import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.feedback import Reason, State
from serving.figures import Count, figures, precision

DISMISSALS = (State.DISMISSED, State.PENDING, State.DECLINED)
guidelines, versions, numbers = st.sampled_from("ab"), st.sampled_from("12"), st.integers(1, 50)
counts = st.lists(
    st.builds(Count, guidelines, versions, st.sampled_from(DISMISSALS), st.sampled_from(Reason), numbers)
    | st.builds(Count, guidelines, versions, st.sampled_from([State.NONE, State.ACCEPTED]), st.none(), numbers)
)


@given(counts)
def test_what_was_raised_is_what_became_of_it(some: list[Count]) -> None:
    found = figures(some)
    assert sum(each.raised for each in found) == sum(count.findings for count in some)
    for each in found:
        assert each.raised == each.accepted + sum(each.dismissed.values()) + each.undecided
        assert each.pending + each.declined <= sum(each.dismissed.values())


def test_only_what_says_that_a_finding_is_wrong_lowers_its_precision() -> None:
    waived = [Count("a", "1", State.DISMISSED, reason, 10) for reason in (Reason.STYLE_CHOICE, Reason.OTHER)]
    declined = Count("a", "1", State.DECLINED, Reason.FALSE_ALARM, 10)
    wrong = [
        Count("a", "1", State.PENDING, Reason.FALSE_ALARM, 1),
        Count("a", "1", State.DISMISSED, Reason.QUOTATION, 1),
    ]
    (found,) = figures([Count("a", "1", State.ACCEPTED, None, 6), *waived, declined, *wrong])
    assert (found.raised, found.accepted, found.declined, found.pending) == (38, 6, 10, 1)
    assert found.precision
    assert (found.precision.value, found.precision.findings) == (0.75, 8)
    assert (found.precision.low, found.precision.high) == pytest.approx((0.4093, 0.9285), abs=1e-4)


def test_nothing_decided_is_no_precision() -> None:
    (found,) = figures([Count("a", "1", State.NONE, None, 3)])
    assert (found.undecided, found.precision) == (3, None)


def test_an_interval_has_a_width_also_where_all_were_right() -> None:
    assert precision(0, 0) is None
    found = precision(12, 0)
    assert found
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.7575, abs=1e-4)
