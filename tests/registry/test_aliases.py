from pathlib import Path

import pytest

from agent.spec import AgentSpec
from registry.aliases import champion, history, promote, rollback
from registry.connection import Registry, connect
from registry.decisions import RECORD_KEY
from registry.errors import (
    DecidedAgainst,
    NoSigningKey,
    NotTrusted,
    StaleDecision,
    Ungated,
    UnknownVersion,
)
from registry.settings import RegistrySettings
from registry.standing import standing
from registry.statement import Kind
from registry.version import MODEL_NAME, PACK_DIGEST_TAG
from registry.versions import describe, load, register
from tests.agent.build import guideline, pack
from tests.registry.decided import POLICY, SET, decide

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
