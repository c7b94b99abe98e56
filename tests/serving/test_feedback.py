"""What changes how things stand, and what doesn't."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.feedback import (
    Action,
    Approval,
    ApprovalStatus,
    Decision,
    Dismissals,
    Entry,
    Reason,
    Saying,
    State,
    dismissed,
    document_of,
    new_entries,
)
from tests.serving.build import NOW, job, request

FINDINGS = ("f1", "f2", "f3")
ACCEPT, UNDO = Decision("f1", Action.ACCEPT), Decision("f1", Action.UNDO)
DISMISS = Decision("f1", Action.DISMISS, Reason.QUOTATION)

decisions = st.one_of(
    st.builds(Decision, st.sampled_from(FINDINGS), st.sampled_from([Action.ACCEPT, Action.UNDO])),
    st.builds(Decision, st.sampled_from(FINDINGS), st.just(Action.DISMISS), st.sampled_from(Reason)),
)
histories = st.lists(decisions, max_size=12)


def saying(*said: Decision, dismissals: Dismissals = Dismissals.AT_ONCE, **of_job: Any) -> Saying:
    return Saying(job(**of_job), dict.fromkeys(FINDINGS, "attribution"), said, NOW, dismissals)


def after(*said: Decision, **how: Any) -> dict[str, Entry]:
    """How things stand when it was said one by one."""
    standing: dict[str, Entry] = {}
    for each in said:
        standing |= {entry.decision.finding: entry for entry in new_entries(saying(each, **how), standing)}
    return standing


@pytest.mark.parametrize(
    ("said", "entries", "state", "counts"),
    [
        ([], 0, State.NONE, True),
        ([UNDO], 0, State.NONE, True),
        ([ACCEPT], 1, State.ACCEPTED, True),
        ([DISMISS], 1, State.DISMISSED, False),
        ([DISMISS, DISMISS], 1, State.DISMISSED, False),
        ([DISMISS, ACCEPT], 2, State.ACCEPTED, True),
        ([DISMISS, UNDO], 2, State.NONE, True),
        ([DISMISS, UNDO, UNDO], 2, State.NONE, True),
        ([DISMISS, UNDO, DISMISS], 3, State.DISMISSED, False),
        ([DISMISS, Decision("f1", Action.DISMISS, Reason.OTHER)], 2, State.DISMISSED, False),
        ([DISMISS, Decision("f1", Action.DISMISS, Reason.QUOTATION, "so said")], 2, State.DISMISSED, False),
    ],
)
def test_the_latest_stands_and_the_same_again_is_nothing_new(
    said: list[Decision], entries: int, state: State, counts: bool
) -> None:
    new = new_entries(saying(*said), {})
    assert len(new) == entries
    assert (new[-1].state if new else State.NONE) is state
    assert dismissed(after(*said).values()) == (set() if counts else {"f1"})


@given(histories)
def test_to_say_it_all_again_at_the_end_changes_nothing(said: list[Decision]) -> None:
    standing = after(*said)
    assert new_entries(saying(*(entry.decision for entry in standing.values())), standing) == []


@given(histories)
def test_many_at_once_come_to_the_same_as_one_by_one(said: list[Decision]) -> None:
    together = {entry.decision.finding: entry for entry in new_entries(saying(*said), {})}
    assert together == after(*said)


@given(histories)
def test_undoing_everything_leaves_nothing_dismissed(said: list[Decision]) -> None:
    standing = after(*said, *(Decision(finding, Action.UNDO) for finding in FINDINGS))
    assert {entry.state for entry in standing.values()} <= {State.NONE}
    assert dismissed(standing.values()) == set()


@pytest.mark.parametrize(
    ("approval", "state", "counts"),
    [
        (ApprovalStatus.PENDING, State.PENDING, True),
        (ApprovalStatus.APPROVED, State.DISMISSED, False),
        (ApprovalStatus.DECLINED, State.DECLINED, True),
    ],
)
def test_a_dismissal_that_needs_an_approval_counts_until_it_has_one(
    approval: ApprovalStatus, state: State, counts: bool
) -> None:
    entry = Entry("ada", "id:d", "attribution", DISMISS, "a", "1", NOW, Approval(approval))
    assert (entry.state, entry.counts) == (state, counts)


def test_only_dismissals_need_an_approval() -> None:
    first, second = new_entries(saying(DISMISS, ACCEPT, dismissals=Dismissals.APPROVAL), {})
    assert (first.approval, second.approval) == (Approval(ApprovalStatus.PENDING), None)


def test_decisions_belong_to_the_document_or_else_to_the_very_text() -> None:
    named, unnamed = job(request=request(document_id="d")), job(blob="b")
    assert (document_of(named), document_of(unnamed)) == ("id:d", "article:b")
