"""Consent to a rollout: signed, for one rollout of one version beside one champion."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.spec import AgentSpec
from registry.aliases import promote
from registry.connection import Registry
from registry.decisions import RECORD_KEY
from registry.errors import DecidedAgainst, NotTrusted, StaleDecision, Ungated
from registry.signatures import Signed
from registry.standing import Champion, standing
from registry.trials import Tried, consent, evidence_of, newest_record, tried
from registry.version import MODEL_NAME
from registry.versions import describe, register
from tests.agent.build import guideline, pack
from tests.registry.decided import champion_by_force, decide

TERMS = "7" * 64
SPECS = [AgentSpec(pack=pack(guideline(title=title))) for title in ("One", "Two")]


@pytest.fixture
def champion(registry: Registry) -> Champion:
    """Version 1, beside which version 2 is registered."""
    champion_by_force(registry, *SPECS)
    found = standing(registry).champion
    assert found
    return found


def given(registry: Registry) -> str:
    return consent(registry, 2, rollout="r", terms=TERMS, who="ada").model_dump_json()


def tried_in(registry: Registry, text: str, *, rollout: str, champion: Champion) -> Tried:
    now = datetime.now(UTC)
    return tried(registry, text, rollout=rollout, terms=TERMS, number=2, champion=champion, now=now)


def test_a_version_that_a_gate_passed_may_serve_a_share(registry: Registry, champion: Champion) -> None:
    record = decide(registry, 2)
    found = tried_in(registry, given(registry), rollout="r", champion=champion)
    assert (found.version.number, found.record.id) == (2, record.id)
    assert evidence_of(found.record) == ("gate: PROMOTE against version 1 on house, test; serves a share, not promoted")
    assert newest_record(registry, describe(registry, "2")).id == record.id


def test_nobody_consents_without_what_a_promotion_needs(embedded: Registry) -> None:
    register(embedded, SPECS[0])
    with pytest.raises(Ungated, match="no champion that version 1 could serve beside"):
        consent(embedded, 1, rollout="r", terms=TERMS, who="ada")
    promote(embedded, 1, force_reason="a test", who="ada")
    register(embedded, SPECS[1])
    with pytest.raises(Ungated, match="no gate decision"):
        consent(embedded, 2, rollout="r", terms=TERMS, who="ada")
    decide(embedded, 2, outcome="BLOCK")
    with pytest.raises(DecidedAgainst, match="says BLOCK of version 2"):
        consent(embedded, 2, rollout="r", terms=TERMS, who="ada")
    with pytest.raises(Ungated, match="version 1 is the champion"):
        consent(embedded, 1, rollout="r", terms=TERMS, who="ada")


def test_consent_to_one_rollout_is_none_to_another(registry: Registry, champion: Champion) -> None:
    decide(registry, 2)
    with pytest.raises(NotTrusted, match="was given for another one"):
        tried_in(registry, given(registry), rollout="other", champion=champion)


@pytest.mark.parametrize(
    ("terms", "days", "told"),
    [("8" * 64, 0, "was given for other stages and limits"), (TERMS, 31, r"the consent to rollout r ended on 20")],
)
def test_consent_is_to_its_terms_and_ends(embedded: Registry, terms: str, days: int, told: str) -> None:
    champion_by_force(embedded, *SPECS)
    decide(embedded, 2)
    there = standing(embedded).champion
    assert there
    now = datetime.now(UTC) + timedelta(days=days)
    with pytest.raises(NotTrusted, match=told):
        tried(embedded, given(embedded), rollout="r", terms=terms, number=2, champion=there, now=now)


def test_consent_that_was_altered_or_made_up_is_refused(registry: Registry, champion: Champion) -> None:
    decide(registry, 2)
    signed = Signed.model_validate_json(given(registry))
    forged = signed.model_copy(update={"body": signed.body | {"who": "eve"}}).model_dump_json()
    with pytest.raises(NotTrusted, match="somebody changed it"):
        tried_in(registry, forged, rollout="r", champion=champion)
    with pytest.raises(NotTrusted, match="carries no signature"):
        tried_in(registry, "{}", rollout="r", champion=champion)


def test_a_record_that_is_gone_lets_nothing_serve(registry: Registry, champion: Champion) -> None:
    record, text = decide(registry, 2), given(registry)
    registry.client.delete_model_version_tag(MODEL_NAME, "2", f"{RECORD_KEY}{record.id}")
    with pytest.raises(NotTrusted, match="is gone"):
        tried_in(registry, text, rollout="r", champion=champion)


def test_a_decision_against_another_champion_lets_nothing_serve(registry: Registry, champion: Champion) -> None:
    decide(registry, 2)
    text = given(registry)
    other = champion.model_copy(update={"version": champion.version.model_copy(update={"digest": "d" * 64})})
    with pytest.raises(StaleDecision, match="against another champion"):
        tried_in(registry, text, rollout="r", champion=other)
