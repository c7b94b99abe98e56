"""The champion: which version it is, why, who said so, and how it became that.

A move is two signed records: the statement that a version may serve, and the promotion that rests on it. The alias
alone counts for nothing: whoever moves it by hand has no promotion to show.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from registry.alias_store import model_entry, set_alias
from registry.connection import Registry
from registry.decisions import (
    Record,
    decision_text,
    find_decision,
    must_be_approved,
    must_speak_for,
    verified,
    write_statement,
)
from registry.errors import DecidedAgainst, NotTrusted, StaleDecision, Ungated, UnknownVersion
from registry.signatures import Signed, TrustedKeys, signed_of
from registry.standing import HISTORY_TAG, PROMOTE, Champion, Standing, history_key, history_keys, last_reign, standing
from registry.statement import NO_CHAMPION, Kind, Promotion, Statement
from registry.trust import signing_key, trusted_keys
from registry.version import CHAMPION, EVIDENCE_TAG, MODEL_NAME, RECORD_TAG, RegisteredVersion
from registry.versions import describe, snapshot

MAX_REASON_CHARACTERS = 500


class Move(NamedTuple):
    """A line of the history."""

    at: str  # as its tag names the moment: 20261127T101500.000000Z
    promotion: Promotion | None  # None where its signature doesn't hold
    signer: str  # id of the key; empty when nobody signed
    fault: str  # why it doesn't count; empty when it does


def champion(registry: Registry) -> RegisteredVersion | None:
    """The version that the alias names, verified or not; None before the first promotion."""
    try:
        return describe(registry, CHAMPION)
    except UnknownVersion:
        return None


def promote(
    registry: Registry,
    number: int,
    *,
    who: str,
    signed_in: str = "",
    force_reason: str | None = None,
    decision: str = "",
    policy_digest: str = "",
    set_digest: str = "",
) -> Promotion:
    """Makes a version the champion by the gate's decision of a run, by default its newest; or by force with a reason.

    Where `policy_digest` or `set_digest` is given, the decision must have been made by that.

    Raises UnknownVersion, NotTrusted, NoSigningKey, and Ungated: DecidedAgainst, StaleDecision or NotApproved.
    """
    signing_key(registry.settings)  # who can't sign is told so before anything else
    version = describe(registry, str(number))
    incumbent = standing(registry).champion
    if force_reason is not None:
        statement = _forced(version, incumbent, reason_of(force_reason, number), who, signed_in)
        return _move(registry, write_statement(registry, statement), statement, incumbent, who, signed_in)
    record = decided(registry, version, incumbent, decision, policy_digest=policy_digest, set_digest=set_digest)
    return _move(registry, record.signed, record.statement, incumbent, who, signed_in)


def decided(
    registry: Registry,
    version: RegisteredVersion,
    incumbent: Champion | None,
    decision: str = "",
    *,
    policy_digest: str = "",
    set_digest: str = "",
) -> Record:
    """The decision by which a version may serve now; raises NotTrusted and Ungated as `promote` does."""
    record = find_decision(registry, version.number, decision)
    must_say_promote(record)
    must_speak_for(record, version)
    _must_be_current(record.statement, incumbent, policy_digest, set_digest)
    must_be_approved(record, registry.settings.approvals)
    decision_text(registry, record.statement)
    if snapshot(registry, version).pack.digest != record.statement.pack_digest:
        raise NotTrusted(
            f"version {version.number} holds another pack than decision {record.statement.run} was made on"
        )
    return record


def rollback(registry: Registry, number: int | None, *, reason: str, who: str, signed_in: str = "") -> Promotion:
    """Goes back to a version that was champion, by default to the one before this one, at once.

    Raises Ungated where there is none, and NotTrusted where its records don't hold.
    """
    signing_key(registry.settings)
    there = standing(registry)
    target = _target(registry, there) if number is None else number
    before = last_reign(registry, target)
    record = verified(before.signed_record, before.signed_approvals, trusted_keys(registry.settings))
    origin = record.statement
    statement = origin.model_copy(
        update={
            "kind": Kind.ROLLBACK,
            "champion": there.champion.version.number if there.champion else None,
            "champion_digest": there.champion.version.digest if there.champion else NO_CHAMPION,
            "reason": reason_of(reason, target),
            "restores": origin.restores or record.id,
            "restored_evidence": origin.restored_evidence or origin.evidence,
            "approvals": 1,
            "who": who,
            "signed_in": signed_in,
            "made": datetime.now(UTC),
        }
    )
    return _move(registry, write_statement(registry, statement), statement, there.champion, who, signed_in)


def history(registry: Registry) -> tuple[Move, ...]:
    """All moves, the newest first, also those that don't count."""
    tags, trusted = model_entry(registry).tags, trusted_keys(registry.settings)
    return tuple(_moves(tags, trusted))


def reason_of(text: str, number: int) -> str:
    """A reason in one line; raises Ungated."""
    reason = " ".join(text.split())
    if not reason:
        raise Ungated(f"say why version {number} should serve: --force REASON, or --reason REASON of a rollback")
    if len(reason) > MAX_REASON_CHARACTERS:
        raise Ungated(f"the reason has {len(reason)} characters: say it in at most {MAX_REASON_CHARACTERS}")
    return reason


def _forced(version: RegisteredVersion, incumbent: Champion | None, reason: str, who: str, signed_in: str) -> Statement:
    return Statement(
        kind=Kind.FORCED,
        number=version.number,
        version_digest=version.digest,
        code_digest=version.code_digest,
        pack_digest=version.pack_digest,
        champion=incumbent.version.number if incumbent else None,
        champion_digest=incumbent.version.digest if incumbent else NO_CHAMPION,
        reason=reason,
        who=who,
        signed_in=signed_in,
        made=datetime.now(UTC),
    )


def must_say_promote(record: Record) -> None:
    """Raises DecidedAgainst."""
    statement = record.statement
    if statement.outcome != PROMOTE:
        raise DecidedAgainst(
            f"decision {statement.run} says {statement.outcome} of version {statement.number}: "
            "better it, or say with --force REASON why it should serve all the same",
            outcome=statement.outcome,
        )


def _must_be_current(statement: Statement, incumbent: Champion | None, policy_digest: str, set_digest: str) -> None:
    serves = incumbent.version.digest if incumbent else NO_CHAMPION
    if statement.champion_digest != serves:
        compared = f"version {statement.champion}" if statement.champion else "no champion"
        now = f"version {incumbent.version.number}" if incumbent else "no version"
        raise StaleDecision(
            f"decision {statement.run} held version {statement.number} against {compared}, and {now} serves now: "
            f"decide anew, with `copydesk gate --challenger {statement.number} --set FILE`"
        )
    for name, given, said in (
        ("policy", policy_digest, statement.policy_digest),
        ("labelled set", set_digest, statement.set_digest),
    ):
        if given and given != said:
            raise StaleDecision(
                f"decision {statement.run} was made by {name} {said[:12]}, asked for is {given[:12]}: decide anew, "
                f"or name the {name} that it was made by"
            )


def _move(
    registry: Registry, signed: Signed, statement: Statement, incumbent: Champion | None, who: str, signed_in: str
) -> Promotion:
    promotion = Promotion(
        number=statement.number,
        previous=incumbent.version.number if incumbent else None,
        kind=statement.kind,
        record=signed.digest,
        evidence=statement.evidence,
        reason=statement.reason,
        who=who,
        signed_in=signed_in,
        at=datetime.now(UTC),
    )
    text = signing_key(registry.settings).sign(promotion).model_dump_json()
    number = str(statement.number)
    with registry.answering():
        registry.client.set_registered_model_tag(MODEL_NAME, history_key(promotion), text)
        registry.client.set_model_version_tag(MODEL_NAME, number, EVIDENCE_TAG, promotion.evidence)
        registry.client.set_model_version_tag(MODEL_NAME, number, RECORD_TAG, signed.id)
    set_alias(registry, CHAMPION, statement.number)
    return promotion


def _target(registry: Registry, there: Standing) -> int:
    if there.champion is None:
        raise Ungated("there is no verified champion to go back from: promote a version")
    number = there.champion.version.number
    if model_entry(registry).aliases.get(CHAMPION) != number:
        return number  # the alias was moved by hand: back to what serves
    reigns = [move.promotion for move in history(registry) if move.promotion]
    began = next((one for one in reigns if one.number == number and one.kind is not Kind.ROLLBACK), None)
    if began and began.previous and began.previous != number:
        return began.previous
    raise Ungated(f"version {number} was the first champion: name the version to go back to")


def _moves(tags: dict[str, str], trusted: TrustedKeys) -> Iterator[Move]:
    for key in history_keys(tags):
        at, signer = key.removeprefix(HISTORY_TAG), ""
        try:
            signed = signed_of(tags[key], f"promotion {at}")
            signer = signed.key
            yield Move(at, trusted.read(signed, Promotion, f"promotion {at}"), signer, "")
        except NotTrusted as error:
            yield Move(at, None, signer, str(error))
