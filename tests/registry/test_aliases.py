from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from agent.spec import AgentSpec
from registry import aliases
from registry.aliases import champion, history, promote, rollback
from registry.connection import Registry, connect
from registry.decisions import RECORD_KEY
from registry.errors import (
    DecidedAgainst,
    NoSigningKey,
    NotMoved,
    NotTrusted,
    RegistryError,
    StaleDecision,
    Ungated,
    UnknownVersion,
)
from registry.settings import RegistrySettings
from registry.standing import HISTORY_TAG, standing
from registry.statement import Kind
from registry.version import CHAMPION, MODEL_NAME, PACK_DIGEST_TAG
from registry.versions import describe, load, register
from tests.agent.build import guideline, pack
from tests.registry.decided import POLICY, SET, champion_by_force, decide
from tests.registry.meanwhile import TwoHoursAhead, failing, meanwhile

SPECS = [AgentSpec(pack=pack(guideline(title=title))) for title in ("One", "Two", "Three")]


@pytest.fixture
def two(embedded: Registry) -> Registry:
    """Version 1 is champion by its decision, version 2 is registered."""
    register(embedded, SPECS[0])
    decide(embedded, 1)
    promote(embedded, 1, who="ada")
    register(embedded, SPECS[1])
    return embedded


def test_nobody_is_champion_at_first(registry: Registry) -> None:
    assert (champion(registry), history(registry), standing(registry).champion) == (None, (), None)


def test_a_forced_promotion_moves_the_champion_and_says_so(registry: Registry) -> None:
    register(registry, SPECS[0])
    promotion = promote(registry, 1, force_reason="the first\n one", who="ada")
    assert str(promotion) == "version 1 is champion, ungated: forced: the first one"
    version = describe(registry, "champion")
    assert (version.number, version.evidence) == (1, "forced: the first one")
    assert load(registry, "champion").stamp.evidence == "forced: the first one"
    assert load(registry, "champion").stamp.record == promotion.record[:16]


def test_a_decision_moves_the_champion(registry: Registry) -> None:
    for number, spec in enumerate(SPECS[:2], 1):
        register(registry, spec)
        record = decide(registry, number)
        promotion = promote(registry, number, who="bob", policy_digest=POLICY, set_digest=SET)
        assert promotion.record == record.signed.digest
    assert promotion.evidence == "gate: PROMOTE against version 1 on house, test"
    there = standing(registry)
    assert there.champion is not None
    assert (there.champion.version.number, there.champion.statement.who, there.refusal) == (2, "ada", "")


def test_the_history_tells_every_move(registry: Registry) -> None:
    for spec in SPECS[:2]:
        register(registry, spec)
    moves = [promote(registry, number, force_reason=f"to {number}", who="ada") for number in (1, 2, 1)]
    assert [move.promotion for move in history(registry)] == list(reversed(moves))
    assert [(move.previous, move.number) for move in moves] == [(None, 1), (1, 2), (2, 1)]
    found = champion(registry)
    assert found
    assert found.number == 1


@pytest.mark.parametrize(("reason", "told"), [(" \n", "--force REASON"), ("x" * 501, "at most 500")])
def test_a_forced_promotion_needs_a_reason(embedded: Registry, reason: str, told: str) -> None:
    register(embedded, SPECS[0])
    with pytest.raises(Ungated, match=told):
        promote(embedded, 1, force_reason=reason, who="ada")
    assert (champion(embedded), history(embedded)) == (None, ())


def test_a_version_that_is_not_there_changes_nothing(registry: Registry) -> None:
    register(registry, SPECS[0])
    with pytest.raises(UnknownVersion, match="version '9' is not registered: there are 1"):
        promote(registry, 9, force_reason="why not", who="ada")
    assert history(registry) == ()


def test_without_a_decision_there_is_no_promotion(two: Registry) -> None:
    with pytest.raises(Ungated, match=r"version 2 has no gate decision: run `copydesk gate --challenger 2 --set FILE`"):
        promote(two, 2, who="ada")
    with pytest.raises(Ungated, match="version 2 has no decision 00"):
        promote(two, 2, who="ada", decision="00")


@pytest.mark.parametrize("outcome", ["BLOCK", "INCONCLUSIVE"])
def test_the_newest_decision_must_say_promote(two: Registry, outcome: str) -> None:
    passed = decide(two, 2)
    decide(two, 2, outcome)
    with pytest.raises(DecidedAgainst, match=f"says {outcome} of version 2") as refused:
        promote(two, 2, who="ada")
    assert refused.value.outcome == outcome
    assert promote(two, 2, who="ada", decision=passed.statement.run).number == 2


def test_a_decision_against_another_champion_is_stale(two: Registry) -> None:
    register(two, SPECS[2])
    decide(two, 2)
    decide(two, 3)
    promote(two, 3, who="ada")
    with pytest.raises(StaleDecision, match="held version 2 against version 1, and version 3 serves now: decide anew"):
        promote(two, 2, who="ada")


def test_a_first_champions_decision_is_stale_once_there_is_one(embedded: Registry) -> None:
    for spec in SPECS[:2]:
        register(embedded, spec)
    decide(embedded, 1)
    decide(embedded, 2)
    promote(embedded, 1, who="ada")
    with pytest.raises(StaleDecision, match="held version 2 against no champion, and version 1 serves now"):
        promote(embedded, 2, who="ada")


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"policy_digest": "0" * 64}, "by policy 999"), ({"set_digest": "0" * 64}, "by labelled set 555")],
)
def test_a_decision_by_another_policy_or_set_does_not_count(two: Registry, asked: dict[str, str], told: str) -> None:
    decide(two, 2)
    with pytest.raises(StaleDecision, match=told):
        promote(two, 2, who="ada", **asked)


@pytest.mark.parametrize("field", ["version_digest", "code_digest", "pack_digest"])
def test_a_decision_about_other_content_does_not_count(two: Registry, field: str) -> None:
    decide(two, 2, **{field: "0" * 64})
    with pytest.raises(NotTrusted, match=f"speaks of {field.replace('_', ' ')} 000000000000, version 2 has"):
        promote(two, 2, who="ada")


def test_a_version_whose_tags_changed_after_the_decision_does_not_count(two: Registry) -> None:
    decide(two, 2)
    two.client.set_model_version_tag(MODEL_NAME, "2", PACK_DIGEST_TAG, "0" * 64)
    with pytest.raises(NotTrusted, match="speaks of pack digest"):
        promote(two, 2, who="ada")


def test_a_record_that_was_altered_does_not_count(two: Registry) -> None:
    record = decide(two, 2, "BLOCK")
    key, text = f"{RECORD_KEY}{record.id}", record.signed.model_dump_json()
    two.client.set_model_version_tag(MODEL_NAME, "2", key, text.replace('"BLOCK"', '"PROMOTE"'))
    with pytest.raises(NotTrusted, match="is not what was written there: somebody changed it"):
        promote(two, 2, who="ada")


def test_a_decision_file_that_was_altered_does_not_count(two: Registry) -> None:
    record = decide(two, 2)
    two.client.log_text(record.statement.run, '{"outcome": "PROMOTE"}', "decision.json")
    with pytest.raises(NotTrusted, match=r"decision.json of run .* is not the one that was signed"):
        promote(two, 2, who="ada")


def test_a_registry_elsewhere_takes_no_promotion_without_a_key(server: Registry, tmp_path: Path) -> None:
    register(server, SPECS[0])
    keyless = connect(RegistrySettings(home=tmp_path / "other", mlflow_tracking_uri=server.uri))
    with pytest.raises(NoSigningKey, match="set COPYDESK_SIGNING_KEY to your private key"):
        promote(keyless, 1, force_reason="in a hurry", who="ada")


def test_going_back_is_to_the_champion_before_and_keeps_its_evidence(two: Registry) -> None:
    promote(two, 2, force_reason="in a hurry", who="ada")
    promotion = rollback(two, None, reason="too many alarms", who="bob")
    assert (promotion.previous, promotion.number, promotion.kind, promotion.who) == (2, 1, Kind.ROLLBACK, "bob")
    assert promotion.evidence == (
        "gate: PROMOTE, the first champion, held to the floors on house, test; rolled back to: too many alarms"
    )
    there = standing(two)
    assert there.champion is not None
    assert (there.champion.version.number, there.refusal) == (1, "")


def test_going_back_to_what_was_forced_stays_loud(two: Registry) -> None:
    promote(two, 2, force_reason="in a hurry", who="ada")
    rollback(two, 1, reason="alarms", who="ada")
    again = rollback(two, 2, reason="it was not that", who="ada")
    assert again.is_ungated
    assert again.evidence == "forced: in a hurry; rolled back to: it was not that"


def test_going_back_twice_does_not_come_forward_again(two: Registry) -> None:
    promote(two, 2, force_reason="in a hurry", who="ada")
    rollback(two, None, reason="alarms", who="ada")
    with pytest.raises(Ungated, match="version 1 was the first champion: name the version to go back to"):
        rollback(two, None, reason="alarms", who="ada")


def test_there_is_no_way_back_to_what_never_served(two: Registry) -> None:
    with pytest.raises(Ungated, match="version 2 was never champion by a record that holds; those promoted: 1"):
        rollback(two, 2, reason="why not", who="ada")


def test_a_promotion_made_by_hand_is_told_in_the_history(two: Registry) -> None:
    two.client.set_registered_model_tag(MODEL_NAME, "copydesk.promotion.2999", '{"number": 2, "kind": "forced"}')
    move = history(two)[0]
    assert (move.at, move.promotion, move.signer) == ("2999", None, "")
    assert "carries no signature" in move.fault


def stands(registry: Registry) -> tuple[int | None, str]:
    there = standing(registry)
    return there.champion.version.number if there.champion else None, there.refusal


@pytest.fixture
def rivals(embedded: Registry) -> Registry:
    """Version 1 was forced, versions 2 and 3 have passed the gate, each against version 1."""
    champion_by_force(embedded, *SPECS)
    decide(embedded, 2)
    decide(embedded, 3)
    return embedded


BEFORE_IT_IS_DATED, BEFORE_IT_IS_WRITTEN = "get_run", "set_registered_model_tag"


@pytest.mark.parametrize("call", [BEFORE_IT_IS_DATED, BEFORE_IT_IS_WRITTEN])
def test_of_two_promoters_at_once_the_later_gives_way(rivals: Registry, call: str) -> None:
    slow = meanwhile(rivals, call, lambda: promote(rivals, 2, who="bob"))
    with pytest.raises(StaleDecision, match="version 2 serves now: version 3 was not promoted"):
        promote(slow, 3, who="ada")
    assert [move.promotion and move.promotion.number for move in history(rivals)] == [2, 1]
    assert stands(rivals) == (2, "")
    assert describe(rivals, CHAMPION).number == 2


def test_a_promotion_that_did_not_give_way_does_not_count(rivals: Registry) -> None:
    slow = meanwhile(rivals, BEFORE_IT_IS_DATED, lambda: promote(rivals, 2, who="bob"))
    cut_off = failing(slow, "delete_registered_model_tag", MlflowException("the network is gone"))
    with pytest.raises(RegistryError, match="the network is gone"):
        promote(cut_off, 3, who="ada")
    raced, *before = history(rivals)
    told = "made version 3 champion by a decision against version 1, when promotion"
    assert (raced.promotion and raced.promotion.number, told in raced.fault) == (3, True)
    assert [move.fault for move in before] == ["", ""]
    number, refusal = stands(rivals)
    assert (number, told in refusal) == (2, True)
    assert rollback(rivals, None, reason="too many alarms", who="bob").number == 1


def test_a_rollback_takes_effect_beside_a_promotion(rivals: Registry) -> None:
    promote(rivals, 2, who="bob")
    decide(rivals, 3)
    slow = meanwhile(rivals, "set_registered_model_tag", lambda: rollback(rivals, None, reason="alarms", who="bob"))
    with pytest.raises(StaleDecision, match="version 1 serves now"):
        promote(slow, 3, who="ada")
    assert stands(rivals) == (1, "")


def test_a_forced_promotion_that_lost_says_what_stands(two: Registry) -> None:
    def later() -> None:
        promote(two, 1, force_reason="no, that one", who="bob")

    slow = meanwhile(two, "set_registered_model_alias", later)
    with pytest.raises(NotMoved, match="promotion of version 2 is written down, but version 1 is champion"):
        promote(slow, 2, force_reason="in a hurry", who="ada")


def test_a_promoters_wrong_clock_keeps_nobody_from_being_champion(
    two: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as ahead:
        ahead.setattr(aliases, "datetime", TwoHoursAhead)
        promote(two, 2, force_reason="in a hurry", who="ada")
    back = rollback(two, None, reason="alarms", who="bob")
    assert (stands(two), back.at - datetime.now(back.at.tzinfo) > timedelta(hours=1)) == ((1, ""), True)
    promote(two, 2, force_reason="again", who="bob")
    assert stands(two) == (2, "")


def test_the_newest_decision_counts_whatever_the_clock_of_who_decided_before(two: Registry) -> None:
    decide(two, 2, made=TwoHoursAhead.now(UTC))
    decide(two, 2, "BLOCK")
    with pytest.raises(DecidedAgainst):
        promote(two, 2, who="ada")


def test_a_record_of_no_kind_at_all_is_passed_over(two: Registry) -> None:
    two.client.set_model_version_tag(
        MODEL_NAME, "2", f"{RECORD_KEY}0", '{"body": {"kind": []}, "key": "0", "signature": ""}'
    )
    with pytest.raises(Ungated, match="version 2 has no gate decision"):
        promote(two, 2, who="ada")


def test_going_back_is_behind_what_was_promoted_twice(two: Registry) -> None:
    for reason in ("in a hurry", "its evidence was renewed"):
        promote(two, 2, force_reason=reason, who="ada")
    assert rollback(two, None, reason="alarms", who="ada").number == 1


def test_a_copied_promotion_is_told_and_leads_nowhere(two: Registry) -> None:
    register(two, SPECS[2])
    first = promote(two, 3, force_reason="a test", who="ada")
    for number in (2, 3):
        promote(two, number, force_reason="a test", who="ada")
    tags = two.client.get_registered_model(MODEL_NAME).tags
    text = tags[f"{HISTORY_TAG}{first.at:%Y%m%dT%H%M%S.%fZ}"]
    two.client.set_registered_model_tag(MODEL_NAME, f"{HISTORY_TAG}29990101T000000.000000Z", text)
    copied = history(two)[0]
    assert (copied.promotion, "was copied from another moment" in copied.fault) == (None, True)
    assert rollback(two, None, reason="alarms", who="ada").number == 2


CUT_OFF = MlflowException("API request to http://mlflow.example failed")


def test_a_promotion_that_was_cut_off_is_finished_by_the_same_command(two: Registry) -> None:
    decide(two, 2)
    with pytest.raises(NotMoved, match="the alias has not moved: run the same command again"):
        promote(failing(two, "set_registered_model_alias", CUT_OFF), 2, who="ada")
    assert (stands(two)[0], describe(two, CHAMPION).number) == (2, 1)
    with pytest.raises(StaleDecision, match="by policy 999"):
        promote(two, 2, who="ada", policy_digest="0" * 64)
    again = promote(two, 2, who="ada", policy_digest=POLICY, set_digest=SET)
    assert [move.promotion for move in history(two)][:1] == [again]
    assert (len(history(two)), stands(two), describe(two, CHAMPION).number) == (2, (2, ""), 2)


def test_a_rollback_that_was_cut_off_is_finished_by_the_same_command(two: Registry) -> None:
    promote(two, 2, force_reason="in a hurry", who="ada")
    with pytest.raises(NotMoved, match="run the same command again"):
        rollback(failing(two, "set_registered_model_alias", CUT_OFF), None, reason="alarms", who="ada")
    assert rollback(two, None, reason="alarms", who="ada").number == 1
    assert (stands(two), describe(two, CHAMPION).number) == ((1, ""), 1)
