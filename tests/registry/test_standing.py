import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from agent.spec import AgentSpec
from registry.aliases import history, promote, rollback
from registry.connection import Registry, connect
from registry.decisions import RECORD_KEY
from registry.errors import NotTrusted, Ungated
from registry.settings import RegistrySettings
from registry.standing import (
    HISTORY_TAG,
    history_key,
    keep_champion,
    keep_reign,
    kept_champion,
    kept_reign,
    last_reign,
    standing,
)
from registry.statement import Kind
from registry.trust import signing_key
from registry.version import CHAMPION, MODEL_NAME
from registry.versions import register
from tests.agent.build import guideline, pack
from tests.registry.decided import decide
from tests.signing import key_file

SPECS = [AgentSpec(pack=pack(guideline(title=title))) for title in ("One", "Two", "Three")]


@pytest.fixture
def moved(embedded: Registry) -> Registry:
    """Version 1 was champion, version 2 is, version 3 is only registered."""
    for number, spec in enumerate(SPECS[:2], 1):
        register(embedded, spec)
        decide(embedded, number)
        promote(embedded, number, who="ada")
    register(embedded, SPECS[2])
    return embedded


def served(registry: Registry) -> tuple[int | None, str]:
    there = standing(registry)
    return there.champion.version.number if there.champion else None, there.refusal


def newest(registry: Registry) -> str:
    return f"{HISTORY_TAG}{history(registry)[0].at}"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("1", "either the command was cut off before it moved the alias, then run the same command again; or somebody"),
        ("3", "the alias names version 3, which no signed promotion made champion"),
    ],
)
@pytest.mark.parametrize("late", [timedelta(minutes=1), timedelta(hours=-2)])
def test_an_alias_moved_by_hand_is_refused(moved: Registry, number: str, why: str, late: timedelta) -> None:
    moved.client.set_registered_model_alias(MODEL_NAME, CHAMPION, number)
    there = standing(moved, now=history_end(moved) + late)
    assert there.champion is not None
    assert there.champion.version.number == 2
    assert why in there.refusal
    assert "Version 2 goes on serving; `copydesk rollback` puts the alias back" in there.refusal
    rollback(moved, None, reason="moved by hand", who="ada")
    assert served(moved) == (2, "")


def history_end(registry: Registry):
    promotion = history(registry)[0].promotion
    assert promotion
    return promotion.at


def test_a_promotion_on_its_way_is_no_alarm(moved: Registry) -> None:
    moved.client.set_registered_model_alias(MODEL_NAME, CHAMPION, "1")
    assert standing(moved, now=history_end(moved) + timedelta(seconds=1)).refusal == ""


def test_a_record_altered_by_a_byte_leaves_the_one_before(moved: Registry) -> None:
    there = standing(moved)
    assert there.champion is not None
    record = there.champion.signed_record
    text = record.model_dump_json().replace("house, test", "house, tess")
    moved.client.set_model_version_tag(MODEL_NAME, "2", f"{RECORD_KEY}{record.id}", text)
    number, refusal = served(moved)
    assert number == 1
    assert f"record {record.id} is not what was written there" in refusal


def test_whoever_serves_it_goes_on_when_its_record_is_altered_or_removed(moved: Registry) -> None:
    taken = standing(moved).champion
    assert taken is not None
    moved.client.delete_model_version_tag(MODEL_NAME, "2", f"{RECORD_KEY}{taken.signed_record.id}")
    there = standing(moved, taken=taken)
    assert (there.champion, "is gone: somebody removed it" in there.refusal) == (taken, True)


def test_a_promotion_that_is_removed_does_not_bring_the_one_before_back(moved: Registry) -> None:
    taken = standing(moved).champion
    moved.client.delete_registered_model_tag(MODEL_NAME, newest(moved))
    moved.client.set_registered_model_alias(MODEL_NAME, CHAMPION, "1")
    there = standing(moved, taken=taken)
    assert (there.champion, there.refusal) == (taken, "the promotion of version 2 is gone from the history")


@pytest.mark.parametrize(
    ("part", "altered"),
    [('"number":2', '"number":3'), ('"signature":"', '"signature":"é')],
    ids=["a byte of what is signed", "a signature that is no base64"],
)
def test_a_promotion_that_was_altered_is_refused(moved: Registry, part: str, altered: str) -> None:
    key = newest(moved)
    text = moved.client.get_registered_model(MODEL_NAME).tags[key]
    moved.client.set_registered_model_tag(MODEL_NAME, key, text.replace(part, altered))
    number, refusal = served(moved)
    assert (number, "is not what key" in refusal) == (1, True)
    assert [move.promotion is None for move in history(moved)] == [True, False]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"previous_digest": "d" * 64},
            "replaced version 1, and record .* held it against version 1 of digest",
        ),
        ({"kind": Kind.FORCED}, "the promotion of version 2 is forced, its record gate"),
    ],
)
def test_a_promotion_that_its_record_contradicts_is_refused(
    moved: Registry, changed: dict[str, str], told: str
) -> None:
    promotion = history(moved)[0].promotion
    assert promotion
    at = promotion.at + timedelta(seconds=1)
    signed = signing_key(moved.settings).sign(promotion.model_copy(update={"at": at, "after": promotion.at} | changed))
    moved.client.set_registered_model_tag(MODEL_NAME, history_key(at), signed.model_dump_json())
    there = standing(moved)
    assert there.champion
    assert there.champion.promotion == promotion
    assert re.search(told, there.refusal)


def test_an_old_promotion_copied_to_the_front_is_refused(moved: Registry) -> None:
    tags = moved.client.get_registered_model(MODEL_NAME).tags
    oldest = min(key for key in tags if key.startswith(HISTORY_TAG))
    moved.client.set_registered_model_tag(MODEL_NAME, f"{HISTORY_TAG}29990101T000000.000000Z", tags[oldest])
    number, refusal = served(moved)
    assert (number, "was copied from another moment of the history" in refusal) == (2, True)


def test_a_champion_without_any_promotion_is_none(embedded: Registry) -> None:
    register(embedded, SPECS[0])
    embedded.client.set_registered_model_alias(MODEL_NAME, CHAMPION, "1")
    number, refusal = served(embedded)
    assert (number, "by its alias alone, without a signed promotion" in refusal) == (None, True)


def test_a_promotion_of_an_earlier_release_counts_for_nothing(embedded: Registry) -> None:
    register(embedded, SPECS[0])
    old = {"number": 1, "previous": None, "kind": "forced", "reason": "r", "who": "ada", "at": "2026-11-01T00:00:00Z"}
    embedded.client.set_registered_model_tag(MODEL_NAME, f"{HISTORY_TAG}20261101T000000.000000Z", json.dumps(old))
    assert served(embedded)[0] is None
    assert "made by hand or by an earlier release" in served(embedded)[1]


def test_whom_a_worker_does_not_trust_it_does_not_serve(moved: Registry, tmp_path: Path) -> None:
    stranger = key_file(tmp_path / "other.pem")
    settings = RegistrySettings(home=moved.settings.home, trusted_keys=stranger.line)
    number, refusal = served(connect(settings))
    assert (number, "which is not trusted here" in refusal) == (None, True)


def test_the_copy_for_when_mlflow_is_down_is_verified_again(moved: Registry, tmp_path: Path) -> None:
    there = standing(moved).champion
    assert there is not None
    assert kept_champion(moved) is None
    keep_champion(moved, there)
    assert kept_champion(moved) == there
    path = next(moved.settings.copies.glob("*/champion-record.json"))
    path.write_text(path.read_text().replace('"number":2', '"number":1'))
    with pytest.raises(NotTrusted):
        kept_champion(moved)


def test_what_a_version_was_champion_by_is_kept_and_verified_again(moved: Registry) -> None:
    reign = last_reign(moved, 1)
    assert kept_reign(moved, 1) is None
    keep_reign(moved, reign)
    assert (kept_reign(moved, 1), kept_reign(moved, 2)) == (reign, None)
    path = next(moved.settings.copies.glob("*/reign-1.json"))
    path.rename(path.with_name("reign-3.json"))
    assert kept_reign(moved, 3) is None


def test_the_last_reign_of_a_version_is_found(moved: Registry) -> None:
    assert last_reign(moved, 1).promotion.number == 1
    with pytest.raises(Ungated, match="version 3 was never champion by a record that holds; those promoted: 1, 2"):
        last_reign(moved, 3)
