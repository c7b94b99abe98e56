"""The champion: which version it is, why, who said so, and how it became that.

A move is two signed records: the statement that a version may serve, and the promotion that rests on it. The alias
alone counts for nothing: whoever moves it by hand has no promotion to show.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import randbelow
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
from registry.errors import DecidedAgainst, NotMoved, NotTrusted, RegistryError, StaleDecision, Ungated, UnknownVersion
from registry.signatures import ID_CHARACTERS, Signed, signed_of
from registry.standing import (
    HISTORY_TAG,
    PROMOTE,
    Champion,
    Standing,
    history_key,
    history_keys,
    last_reign,
    must_be_unrivalled,
    newest_moment,
    promotion_at,
    signed_promotions,
    standing,
)
from registry.statement import DECIDED, NO_CHAMPION, Kind, Promotion, Statement
from registry.trust import signing_key, trusted_keys
from registry.version import CHAMPION, EVIDENCE_TAG, MODEL_NAME, RECORD_TAG, RegisteredVersion
from registry.versions import describe, snapshot

MAX_REASON_CHARACTERS = 500


class Move(NamedTuple):
    """A line of the history."""

    at: str  # as its tag names the moment: 20261127T101500.000000Z
    promotion: Promotion | None  # None where its signature or moment doesn't hold
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

    Where `policy_digest` or `set_digest` is given, the decision must have been made by that. A promotion that was cut
    off before the alias moved is finished, and returned as it was.

    Raises UnknownVersion, NotTrusted, NoSigningKey, NotMoved, and Ungated: DecidedAgainst, StaleDecision or
    NotApproved.
    """
    signing_key(registry.settings)  # who can't sign is told so before anything else
    version = describe(registry, str(number))
    there = standing(registry)
    if force_reason is not None:
        statement = _forced(version, there.champion, reason_of(force_reason, number), who, signed_in)
        return _move(registry, write_statement(registry, statement), statement, there, who, signed_in)
    if there.champion and _was_cut_off(there, there.champion.statement, number, decision):
        _must_be_as_asked(there.champion.statement, policy_digest, set_digest)
        _point(registry, there.champion.promotion)
        return there.champion.promotion
    record = decided(registry, version, there.champion, decision, policy_digest=policy_digest, set_digest=set_digest)
    return _move(registry, record.signed, record.statement, there, who, signed_in)


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

    Raises Ungated where there is none, NotTrusted where its records don't hold, and NotMoved.
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
    return _move(registry, write_statement(registry, statement), statement, there, who, signed_in)


def history(registry: Registry) -> tuple[Move, ...]:
    """All moves, the newest first, also those that don't count. Their records are verified where they are to serve."""
    return tuple(_moves(registry, model_entry(registry).tags))


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
    _must_be_as_asked(statement, policy_digest, set_digest)


def _must_be_as_asked(statement: Statement, policy_digest: str, set_digest: str) -> None:
    for name, given, said in (
        ("policy", policy_digest, statement.policy_digest),
        ("labelled set", set_digest, statement.set_digest),
    ):
        if given and given != said:
            raise StaleDecision(
                f"decision {statement.run} was made by {name} {said[:12]}, asked for is {given[:12]}: decide anew, "
                f"or name the {name} that it was made by"
            )


def _was_cut_off(there: Standing, statement: Statement, number: int, decision: str) -> bool:
    """Whether this version was promoted by this decision, and the alias names another one."""
    same = statement.number == number and statement.kind in DECIDED and decision in ("", statement.run)
    return same and there.alias != number


def _move(
    registry: Registry, signed: Signed, statement: Statement, there: Standing, who: str, signed_in: str
) -> Promotion:
    """Writes the promotion down, then moves the alias; raises StaleDecision where somebody else was faster."""
    incumbent, trusted = there.champion, trusted_keys(registry.settings)
    promotion = Promotion(
        number=statement.number,
        previous=incumbent.version.number if incumbent else None,
        previous_digest=incumbent.version.digest if incumbent else NO_CHAMPION,
        after=there.newest,
        kind=statement.kind,
        record=signed.digest,
        evidence=statement.evidence,
        reason=statement.reason,
        who=who,
        signed_in=signed_in,
        at=_moment(newest_moment(model_entry(registry).tags, trusted)),
    )
    key, mine = history_key(promotion.at), signing_key(registry.settings).sign(promotion)
    with registry.answering():
        registry.client.set_registered_model_tag(MODEL_NAME, key, mine.model_dump_json())
    if statement.kind in DECIDED and _has_rival(registry, key, there.newest):
        with registry.answering():  # whoever wrote later sees the other one for sure, and gives way
            registry.client.delete_registered_model_tag(MODEL_NAME, key)
        raise _overtaken(registry, statement)
    _point(registry, promotion)
    _must_stand(registry, promotion, mine)
    return promotion


def _moment(newest: datetime | None) -> datetime:
    """Now, or right after the newest promotion where this machine's clock, or that of whoever made it, is wrong.

    Two promoters whose clocks are behind must not write the same moment, so it isn't the very next microsecond.
    """
    now = datetime.now(UTC)
    return max(now, newest + timedelta(microseconds=1 + randbelow(999_999))) if newest else now


def _has_rival(registry: Registry, own: str, newest: datetime | None) -> bool:
    """Whether the history has a promotion that was not there before, besides one's own."""
    tags, known = model_entry(registry).tags, history_key(newest) if newest else ""
    made = (history_key(found.promotion.at) for found in signed_promotions(tags, trusted_keys(registry.settings)))
    return any(key > known and key != own for key in made)


def _overtaken(registry: Registry, statement: Statement) -> StaleDecision:
    there = standing(registry).champion
    serves = f"version {there.version.number} serves now" if there else "no version serves now"
    return StaleDecision(
        f"somebody else promoted a version at the same moment, and {serves}: version {statement.number} was not "
        "promoted. Look at `copydesk promotions`, then run the same command again, or decide anew"
    )


def _point(registry: Registry, promotion: Promotion) -> None:
    """Has the version and the alias say what was written down; raises NotMoved."""
    number = str(promotion.number)
    try:
        for tag, value in ((EVIDENCE_TAG, promotion.evidence), (RECORD_TAG, promotion.record[:ID_CHARACTERS])):
            registry.put(partial(registry.client.set_model_version_tag, MODEL_NAME, number, tag, value))
        set_alias(registry, CHAMPION, promotion.number)
    except RegistryError as error:
        raise NotMoved(
            f"the promotion of version {number} is written down and workers serve it, but the alias has not moved: "
            f"run the same command again ({error})"
        ) from error


def _must_stand(registry: Registry, promotion: Promotion, signed: Signed) -> None:
    there = standing(registry)
    if there.champion and there.champion.signed_promotion == signed:
        return
    serves = f"version {there.champion.version.number}" if there.champion else "no version"
    why = f" ({there.refusal})" if there.refusal else ""
    raise NotMoved(
        f"the promotion of version {promotion.number} is written down, but {serves} is champion{why}: "
        "look at `copydesk promotions`, then run the same command again"
    )


def _target(registry: Registry, there: Standing) -> int:
    if there.champion is None:
        raise Ungated("there is no verified champion to go back from: promote a version")
    number, since = there.champion.version.number, there.champion.promotion.at
    if there.alias != number:
        return number  # the alias was moved by hand: back to what serves
    for move in history(registry):
        one = move.promotion
        if one is None or move.fault or one.number != number or one.kind is Kind.ROLLBACK or one.at > since:
            continue
        if one.previous is None:
            break
        if one.previous != number:  # it is where its evidence was renewed
            return one.previous
    raise Ungated(f"version {number} was the first champion: name the version to go back to")


def _moves(registry: Registry, tags: Mapping[str, str]) -> Iterator[Move]:
    trusted, people = trusted_keys(registry.settings), registry.settings.approvals
    for key in history_keys(tags):
        at, signer, promotion = key.removeprefix(HISTORY_TAG), "", None
        try:
            signer = signed_of(tags[key], f"promotion {at}").key
            promotion = promotion_at(key, tags[key], trusted).promotion
            must_be_unrivalled(registry, promotion, tags, trusted, people)
        except (NotTrusted, StaleDecision) as error:
            yield Move(at, promotion, signer, str(error))
        else:
            yield Move(at, promotion, signer, "")
