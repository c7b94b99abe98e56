import pytest

from agent.check import AnsweredBy
from serving.model_change import ExpiresOn, change_of

A1, A2, B = AnsweredBy(model="a", fingerprint="1"), AnsweredBy(model="a", fingerprint="2"), AnsweredBy(model="b")


@pytest.mark.parametrize(
    ("promoted", "answered", "new", "ends"),
    [
        ((A1,), (A1,), (), ()),
        ((A1, A2), (A2, A1), (), ()),
        ((A1,), (A2,), (A2,), (ExpiresOn.FINGERPRINT,)),
        ((A1,), (A1, B), (B,), tuple(ExpiresOn)),
        ((A1,), (A2, B), (B, A2), tuple(ExpiresOn)),
        ((), (B,), (), ()),
        ((A1,), (), (), ()),
    ],
)
def test_what_answers_is_held_against_what_answered(
    promoted: tuple[AnsweredBy, ...],
    answered: tuple[AnsweredBy, ...],
    new: tuple[AnsweredBy, ...],
    ends: tuple[ExpiresOn, ...],
) -> None:
    change = change_of(promoted, answered)
    assert (change.new if change else ()) == new
    assert tuple(on for on in ExpiresOn if change and change.ends(on)) == ends


def test_a_change_is_told_in_a_sentence() -> None:
    assert str(change_of((A1,), (A2, B))) == "b, a (2) answered, evaluated was a (1)"
