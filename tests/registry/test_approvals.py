from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.spec import AgentSpec
from registry.aliases import promote
from registry.connection import Registry
from registry.decisions import APPROVAL_KEY, Record, decision_of_run, write_approval
from registry.errors import NotApproved, Ungated
from registry.signatures import Signed, read_signing_key
from registry.standing import standing
from registry.statement import Approval
from registry.version import MODEL_NAME
from registry.versions import register
from tests.agent.build import guideline, pack
from tests.registry.decided import decide
from tests.signing import key_file

SPECS = [AgentSpec(pack=pack(guideline(title=title))) for title in ("One", "Two")]
ADA = {"who": "ada", "signed_in": "http://copydesk.example as key:1"}


def as_holder(registry: Registry, folder: Path, name: str, trusted: list[str]) -> Registry:
    update = {"signing_key": str(folder / f"{name}.pem"), "trusted_keys": "\n".join(trusted), "approvals": 2}
    return replace(registry, settings=registry.settings.model_copy(update=update))


@pytest.fixture
def holders(embedded: Registry, tmp_path: Path) -> dict[str, Registry]:
    """The registry as it is to three people with a key each; two must stand behind a promotion."""
    register(embedded, SPECS[0])
    lines = [key_file(tmp_path / f"{name}.pem", name).line for name in ("ada", "bob", "eve")]
    return {name: as_holder(embedded, tmp_path, name, lines) for name in ("ada", "bob", "eve")}


def approve(registry: Registry, record: Record, who: str) -> None:
    said = Approval(record=record.signed.digest, who=who, signed_in="http://copydesk.example", made=datetime.now(UTC))
    write_approval(registry, decision_of_run(registry, record.statement.run), said)


def test_two_people_stand_behind_a_promotion(holders: dict[str, Registry]) -> None:
    record = decide(holders["ada"], 1, **ADA)
    with pytest.raises(NotApproved, match="needs 2 people and has 1: somebody else says `copydesk approve"):
        promote(holders["ada"], 1, who="ada")
    approve(holders["bob"], record, "bob")
    promote(holders["ada"], 1, who="ada")
    there = standing(holders["eve"])
    assert there.champion is not None
    assert (there.champion.approvers, there.refusal) == (("bob",), "")


def test_nobody_approves_their_own_decision(holders: dict[str, Registry]) -> None:
    record = decide(holders["ada"], 1, **ADA)
    with pytest.raises(NotApproved, match=r"'ada' made decision .*: somebody else must approve it"):
        approve(holders["bob"], record, "ada")
    with pytest.raises(NotApproved, match="one key is one person"):
        approve(holders["ada"], record, "bob")


def test_nobody_approves_twice(holders: dict[str, Registry]) -> None:
    record = decide(holders["ada"], 1, approvals=3, **ADA)
    approve(holders["bob"], record, "bob")
    with pytest.raises(NotApproved, match=r"'bob' has approved decision .* before"):
        approve(holders["eve"], record, "bob")
    with pytest.raises(NotApproved, match="one key is one person"):
        approve(holders["bob"], record, "bobby")
    with pytest.raises(NotApproved, match="needs 3 people and has 2"):
        promote(holders["ada"], 1, who="ada")
    approve(holders["eve"], record, "eve")
    promote(holders["ada"], 1, who="ada")


def test_whoever_decided_must_be_known_by_the_service(holders: dict[str, Registry]) -> None:
    record = decide(holders["ada"], 1)
    with pytest.raises(NotApproved, match="made by 'ada' without signing in"):
        approve(holders["bob"], record, "bob")


def test_an_approval_of_another_decision_counts_for_nothing(holders: dict[str, Registry], tmp_path: Path) -> None:
    first, second = decide(holders["ada"], 1, **ADA), decide(holders["ada"], 1, **ADA)
    approve(holders["bob"], first, "bob")
    tags = holders["ada"].client.get_model_version("copydesk-agent", "1").tags
    (key,) = (key for key in tags if key.startswith("copydesk.approval."))
    moved = key.replace(first.id, second.id)
    holders["ada"].client.set_model_version_tag("copydesk-agent", "1", moved, tags[key])
    with pytest.raises(NotApproved, match="needs 2 people and has 1"):
        promote(holders["ada"], 1, who="ada")


def test_an_approval_whose_signature_is_no_base64_counts_for_nothing(holders: dict[str, Registry]) -> None:
    record = decide(holders["ada"], 1, **ADA)
    approve(holders["bob"], record, "bob")
    client = holders["ada"].client
    tags = client.get_model_version(MODEL_NAME, "1").tags
    (key,) = (key for key in tags if key.startswith(APPROVAL_KEY))
    signed = Signed.model_validate_json(tags[key])
    client.set_model_version_tag(
        MODEL_NAME, "1", key, signed.model_copy(update={"signature": f"é{signed.signature[1:]}"}).model_dump_json()
    )
    with pytest.raises(NotApproved, match="needs 2 people and has 1"):
        promote(holders["ada"], 1, who="ada")


def test_who_is_approved_first_goes_on_when_two_are_asked_for(holders: dict[str, Registry]) -> None:
    ada = holders["ada"]
    alone = replace(ada, settings=ada.settings.model_copy(update={"approvals": 1}))
    record = decide(alone, 1, **ADA)
    promotion = promote(alone, 1, who="ada")
    approve(holders["bob"], record, "bob")
    there = standing(ada)
    assert (there.champion and there.champion.promotion, there.refusal) == (promotion, "")


def test_whoever_serves_it_is_told_that_an_approval_is_gone(holders: dict[str, Registry]) -> None:
    ada = holders["ada"]
    approve(holders["bob"], decide(ada, 1, **ADA), "bob")
    promote(ada, 1, who="ada")
    taken = standing(ada).champion
    (key,) = (tag for tag in ada.client.get_model_version(MODEL_NAME, "1").tags if tag.startswith(APPROVAL_KEY))
    ada.client.delete_model_version_tag(MODEL_NAME, "1", key)
    there = standing(ada, taken=taken)
    assert (there.champion, "needs 2 people and has 1" in there.refusal) == (taken, True)


def test_a_worker_that_asks_for_two_does_not_serve_what_one_promoted(holders: dict[str, Registry]) -> None:
    ada = holders["ada"]
    alone = replace(ada, settings=ada.settings.model_copy(update={"approvals": 1}))
    decide(alone, 1, **ADA)
    promote(alone, 1, who="ada")
    there = standing(ada)
    assert (there.champion, "needs 2 people and has 1" in there.refusal) == (None, True)


def test_what_was_never_signed_can_not_be_approved(holders: dict[str, Registry]) -> None:
    record = decide(holders["ada"], 1, **ADA)
    holders["ada"].client.delete_tag(record.statement.run, "record_id")
    with pytest.raises(Ungated, match="was not signed"):
        decision_of_run(holders["ada"], record.statement.run)
    assert read_signing_key(Path(holders["ada"].settings.signing_key)).public().id == record.signed.key
