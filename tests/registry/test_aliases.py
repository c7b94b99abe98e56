import pytest

from agent.spec import AgentSpec
from registry.aliases import HISTORY_TAG, champion, history, promote
from registry.connection import Registry
from registry.errors import RegistryError, Ungated, UnknownVersion
from registry.version import MODEL_NAME
from registry.versions import describe, load, register
from tests.agent.build import guideline, pack

SPECS = [AgentSpec(pack=pack(guideline(title=title))) for title in ("One", "Two")]


def test_nobody_is_champion_at_first(registry: Registry) -> None:
    assert (champion(registry), history(registry)) == (None, ())


def test_a_forced_promotion_moves_the_champion_and_says_so(registry: Registry) -> None:
    register(registry, SPECS[0])
    promotion = promote(registry, 1, force_reason="the first\n one", who="ada")
    assert str(promotion) == "version 1 is champion, ungated: forced, the first one"
    version = describe(registry, "champion")
    assert (version.number, version.evidence) == (1, "forced: the first one")
    assert load(registry, "champion").stamp.evidence == "forced: the first one"


def test_the_history_tells_every_move(registry: Registry) -> None:
    for spec in SPECS:
        register(registry, spec)
    moves = [promote(registry, number, force_reason=f"to {number}", who="ada") for number in (1, 2, 1)]
    assert history(registry) == tuple(reversed(moves))
    assert [(move.previous, move.number) for move in moves] == [(None, 1), (1, 2), (2, 1)]
    found = champion(registry)
    assert found
    assert found.number == 1


@pytest.mark.parametrize(("reason", "told"), [(" \n", "with --force REASON"), ("x" * 501, "at most 500")])
def test_a_promotion_needs_a_reason(embedded: Registry, reason: str, told: str) -> None:
    register(embedded, SPECS[0])
    with pytest.raises(Ungated, match=told):
        promote(embedded, 1, force_reason=reason, who="ada")
    assert (champion(embedded), history(embedded)) == (None, ())


def test_a_version_that_is_not_there_changes_nothing(registry: Registry) -> None:
    register(registry, SPECS[0])
    with pytest.raises(UnknownVersion, match="version '9' is not registered: there are 1"):
        promote(registry, 9, force_reason="why not", who="ada")
    assert history(registry) == ()


def test_a_record_changed_by_hand_is_named(embedded: Registry) -> None:
    register(embedded, SPECS[0])
    embedded.client.set_registered_model_tag(MODEL_NAME, f"{HISTORY_TAG}2026", "{}")
    with pytest.raises(RegistryError, match=r"tag 'copydesk.promotion.2026' of copydesk-agent is no promotion"):
        history(embedded)
