"""What is read of the decisions that the gate makes, and of those of earlier releases."""

import json
from typing import Any

import pytest

from evaluation.claims import Verdict
from evaluation.comparison import FALSE_ALARMS, RECALL, Status
from evaluation.gate import Outcome
from evaluation.policy import Tier
from evaluation.reasons import Quantity as Recorded
from evaluation.reasons import Weight
from serving import rulings
from serving.evidence import UnreadableDecision
from serving.pages import rulings as shown
from serving.rulings import GateDecision, Quantity, decision_of
from tests.agent.build import guideline, pack, prompt_guideline
from tests.serving.decided import POLICY, Fares, decision_json, evaluated

PACK = pack(guideline("minors", severity="breach"), prompt_guideline("claims"), guideline("plain"))
CHANGED = dict.fromkeys(("minors", "claims", "plain"), Fares(digest="2"))


def decided(after: dict[str, Fares], *, seconds: float = 1.0) -> GateDecision:
    text = decision_json(evaluated("1", PACK, {}), evaluated("2", PACK, CHANGED | after, seconds=seconds))
    found = decision_of(text)
    assert found
    return found


def earlier(text: str) -> str:
    """The same decision as the release before wrote it."""
    said: dict[str, Any] = json.loads(text)
    del said["grounds"], said["statuses"]
    for ruling in said["rulings"]:
        del ruling["weight"]
    return json.dumps(said)


def test_both_sides_of_the_file_use_the_same_words() -> None:
    assert set(map(str, Quantity)) == set(map(str, Recorded)) == set(shown.UNITS) == set(shown.LIMITS)
    assert set(shown.KINDS) == set(map(str, Verdict))
    assert set(shown.DID) == set(map(str, Weight))
    assert set(shown.TIERS) == set(map(str, Tier))
    assert set(rulings.DECIDES) == set(shown.HEADINGS) == set(map(str, Outcome))
    assert {*rulings.STATUSES, "changed"} == set(map(str, Status))
    assert (rulings.RECALL, rulings.FALSE_ALARMS) == (RECALL, FALSE_ALARMS)


def test_what_carried_a_promotion_begins_with_the_tightest() -> None:
    found = decided({"minors": Fares(2, 0, "2")}, seconds=1.2)
    assert (found.outcome, found.against) == ("PROMOTE", "1")
    assert [ground.name for ground in found.deciding][:2] == ["p95 latency", "minors: false alarms"]
    rooms = [ground.room for ground in found.deciding if ground.room is not None]
    assert rooms == sorted(rooms)
    recall = next(
        ground for ground in found.deciding if ground.name == "minors: recall" and ground.verdict == "no worse"
    )
    assert recall.value == pytest.approx(-2 / 120)
    assert (recall.limit, recall.quantity) == (0.1, "recall gained")
    assert recall.low is not None
    assert recall.room == pytest.approx((recall.low + 0.1) / 0.1)


def test_what_blocked_is_the_worst_first() -> None:
    found = decided({"minors": Fares(60, 0, "2"), "claims": Fares(30, 0, "2")}, seconds=2.0)
    assert found.outcome == "BLOCK"
    assert [ground.name for ground in found.deciding] == [
        "minors: recall",
        "claims: recall",
        "supporting, clarity: recall",
        "p95 latency",
    ]


def test_a_guideline_that_is_gone_blocks_in_a_sentence() -> None:
    champion = evaluated("1", PACK, {})
    found = decision_of(decision_json(champion, evaluated("2", pack(guideline("plain")), {})))
    assert found
    assert [(one.name, one.text.partition(":")[0]) for one in found.deciding] == [
        ("", "Guideline 'minors' is not in the challenger")
    ]
    assert found.on("minors") == ("not in this version", ())
    assert found.on("plain") == ("unchanged: judges as before", ())
    assert found.on("nobody") is None


def test_a_guideline_has_its_rulings_in_words() -> None:
    found = decided({"claims": Fares(60, 0, "2")})
    assert [found.on(id).words for id in ("minors", "claims")] == [  # type: ignore[union-attr]
        "no worse",
        "recall worse, false alarms no worse",
    ]
    on = found.on("claims")
    assert on
    assert [(one.measure, one.verdict, one.deciding) for one in on.rulings] == [
        ("recall", "worse", False),
        ("false alarms", "no worse", False),
    ]


def test_a_first_champion_rests_on_each_floor() -> None:
    found = decision_of(decision_json(None, evaluated("1", PACK, {"minors": Fares(12, 3)})))
    assert found
    assert (found.outcome, found.against, found.rulings) == ("PROMOTE", None, ())
    assert [(one.name, one.verdict) for one in found.deciding] == [
        ("minors: false alarms per 1,000 words", "within the ceiling"),
        ("minors: recall", "within the floor"),
    ]
    assert found.on("plain") == ("first champion: held to the floors alone", ())


def test_the_decision_of_an_earlier_release_has_sentences_and_rulings() -> None:
    text = decision_json(evaluated("1", PACK, {}), evaluated("2", PACK, CHANGED | {"minors": Fares(60, 0, "2")}))
    found = decision_of(earlier(text))
    assert found
    assert (found.outcome, found.against) == ("BLOCK", "1")
    assert [ground.text for ground in found.deciding] == [
        "minors: recall worse by 50.0 points, surely more than the margin of 10.0 points."
    ]
    on = found.on("minors")
    assert on
    assert on.words == "recall worse, false alarms no worse"


def test_a_decision_without_rulings_or_without_anything_is_read() -> None:
    assert decision_of("") is None
    bare = decision_of('{"outcome": "PROMOTE", "figures": []}')
    assert bare == GateDecision(outcome="PROMOTE", against=None)


@pytest.mark.parametrize("text", ['{"rulings": 3}', "[]", "{"])
def test_a_decision_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(UnreadableDecision, match="the decision's rulings can't be read"):
        decision_of(text)


def test_an_inconclusive_decision_is_kept_open_by_what_lacks_labels() -> None:
    few = {"minors": Fares(0, 0, "2", 12)}
    text = decision_json(
        evaluated("1", PACK, {"minors": Fares(0, 0, "1", 12)}), evaluated("2", PACK, CHANGED | few), POLICY
    )
    found = decision_of(text)
    assert found
    assert found.outcome == "INCONCLUSIVE"
    assert [(one.name, one.verdict) for one in found.deciding] == [("minors: recall", "not enough data")]
