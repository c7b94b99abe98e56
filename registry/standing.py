"""Who is champion by the signed records, whatever the alias says."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from registry.alias_store import model_entry
from registry.connection import Registry
from registry.copies import LocalCopies
from registry.decisions import (
    Record,
    decision_text,
    must_be_approved,
    must_be_the_decision,
    must_speak_for,
    read_record,
    verified,
    version_tags,
)
from registry.errors import NotTrusted, StaleDecision, Ungated, UnknownVersion
from registry.signatures import ID_CHARACTERS, Signed, TrustedKeys, signed_of
from registry.statement import DECIDED, NO_CHAMPION, Promotion, Statement
from registry.trust import trusted_keys
from registry.version import CHAMPION, RegisteredVersion
from registry.versions import describe

HISTORY_TAG = "copydesk.promotion."  # + the moment: a tag each, so that two promotions overwrite nothing
PROMOTE = "PROMOTE"  # what a gate says of a version that may serve
MOVING = timedelta(seconds=10)  # between writing a promotion down and moving the alias, and between two clocks
_REMEDY = "`copydesk rollback` puts the alias back, `copydesk promote` moves it with a record"


class Champion(BaseModel):
    """A version that serves, with the records that let it; signed, so that a copy of it can be verified again."""

    model_config = ConfigDict(frozen=True)

    version: RegisteredVersion
    signed_promotion: Signed
    signed_record: Signed
    signed_approvals: tuple[Signed, ...] = ()
    decision: str = ""  # the gate's decision, JSON; empty where there is none

    @property
    def promotion(self) -> Promotion:
        return Promotion.model_validate(self.signed_promotion.body)

    @property
    def statement(self) -> Statement:
        return Statement.model_validate(self.signed_record.body)

    @property
    def approvers(self) -> tuple[str, ...]:
        """Who stands behind it beside whoever decided."""
        return tuple(str(approval.body["who"]) for approval in self.signed_approvals)


class Standing(NamedTuple):
    """Who is champion by the signed records, and what in the registry contradicts them."""

    champion: Champion | None
    refusal: str  # why the alias, or a newer promotion, doesn't count; empty when all agrees
    alias: int | None  # the version that the alias names
    newest: datetime | None  # moment of the newest signed promotion, whether it counts or not


def standing(registry: Registry, *, taken: Champion | None = None, now: datetime | None = None) -> Standing:
    """The newest promotion whose records hold. `taken` is what the caller serves by an earlier answer.

    It never goes back behind `taken`: a promotion that is gone was removed by hand.
    """
    trusted, people = trusted_keys(registry.settings), registry.settings.approvals
    entry = model_entry(registry)
    found, refusal = None, ""
    for key in history_keys(entry.tags):
        try:
            found = champion_of(registry, key, entry.tags, trusted, people, taken)
            break
        except (NotTrusted, Ungated) as error:
            refusal = refusal or str(error)
    if taken is not None and (found is None or found.promotion.at < taken.promotion.at):
        refusal = refusal or f"the promotion of version {taken.version.number} is gone from the history"
        found = taken
    alias = entry.aliases.get(CHAMPION)
    if not refusal and alias is not None and (found is None or alias != found.version.number):
        refusal = _moved_by_hand(alias, found, now or datetime.now(UTC))
    return Standing(found, refusal, alias, newest_moment(entry.tags, trusted))


def verify(found: Champion, trusted: TrustedKeys, people: int) -> Record:
    """Holds a champion's records against each other and against its version; raises NotTrusted and NotApproved."""
    promotion = trusted.read(found.signed_promotion, Promotion, f"the promotion of version {found.version.number}")
    record = verified(found.signed_record, found.signed_approvals, trusted)
    statement = record.statement
    if (promotion.record, promotion.number) != (found.signed_record.digest, found.version.number):
        raise NotTrusted(f"the promotion of version {promotion.number} rests on another record than {record.id}")
    if promotion.kind is not statement.kind:
        raise NotTrusted(
            f"the promotion of version {promotion.number} is {promotion.kind}, its record {statement.kind}"
        )
    must_speak_for(record, found.version)
    if statement.kind in DECIDED and statement.outcome != PROMOTE:
        raise NotTrusted(f"record {record.id} says {statement.outcome}, and version {promotion.number} was promoted")
    if statement.kind in DECIDED and promotion.previous_digest not in ("", statement.champion_digest):
        raise StaleDecision(
            f"version {promotion.number} replaced version {promotion.previous}, and record {record.id} held it against "
            f"{_compared(statement)}: decide anew"
        )
    must_be_approved(record, people)
    if found.decision:
        must_be_the_decision(found.decision.encode(), statement)
    return record


def last_reign(registry: Registry, number: int) -> Champion:
    """A version with the records by which it was champion last; raises Ungated where none of them hold."""
    entry, trusted = model_entry(registry), trusted_keys(registry.settings)
    been, why = set[int](), ""
    for key in history_keys(entry.tags):
        try:
            promoted = promotion_at(key, entry.tags[key], trusted).promotion.number
            been.add(promoted)
            if promoted == number:
                return champion_of(registry, key, entry.tags, trusted, registry.settings.approvals, None)
        except (NotTrusted, Ungated) as error:
            why = why or f" ({error})"
    listed = ", ".join(map(str, sorted(been))) or "none"
    raise Ungated(f"version {number} was never champion by a record that holds; those promoted: {listed}{why}")


def keep_champion(registry: Registry, found: Champion) -> None:
    """Has this machine know the champion while MLflow is down."""
    keep_reign(registry, found)
    LocalCopies(registry.settings.copies, registry.uri).keep_champion(found)


def kept_champion(registry: Registry) -> Champion | None:
    """The champion that was kept, verified again; raises NotTrusted and NotApproved."""
    return _verified_copy(registry, LocalCopies(registry.settings.copies, registry.uri).champion(Champion))


def keep_reign(registry: Registry, found: Champion) -> None:
    """Has this machine know what a version was champion by, for its jobs while MLflow is down."""
    LocalCopies(registry.settings.copies, registry.uri).keep_reign(found.version.number, found)


def kept_reign(registry: Registry, number: int) -> Champion | None:
    """What a version was champion by, verified again; raises NotTrusted and NotApproved."""
    found = LocalCopies(registry.settings.copies, registry.uri).reign(number, Champion)
    return _verified_copy(registry, found if found is None or found.version.number == number else None)


def history_key(at: datetime) -> str:
    return f"{HISTORY_TAG}{at:%Y%m%dT%H%M%S.%fZ}"


def history_keys(tags: Mapping[str, str]) -> list[str]:
    """The newest first."""
    return sorted((key for key in tags if key.startswith(HISTORY_TAG)), reverse=True)


class SignedPromotion(NamedTuple):
    """A promotion whose signature and moment hold; whether its records do is another question."""

    signed: Signed
    promotion: Promotion


def promotion_at(key: str, text: str, trusted: TrustedKeys) -> SignedPromotion:
    """The promotion that a tag of the history holds; raises NotTrusted."""
    what = _named(key)
    signed = signed_of(text, what)
    promotion = trusted.read(signed, Promotion, what)
    if history_key(promotion.at) != key:
        raise NotTrusted(f"{what} was copied from another moment of the history: remove that tag")
    return SignedPromotion(signed, promotion)


def signed_promotions(tags: Mapping[str, str], trusted: TrustedKeys) -> Iterator[SignedPromotion]:
    """Those of the history that somebody trusted made, the newest first."""
    for key in history_keys(tags):
        try:
            yield promotion_at(key, tags[key], trusted)
        except NotTrusted:
            continue


def newest_moment(tags: Mapping[str, str], trusted: TrustedKeys) -> datetime | None:
    """When the newest signed promotion was made; None before the first."""
    return next((found.promotion.at for found in signed_promotions(tags, trusted)), None)


def must_be_unrivalled(
    registry: Registry, promotion: Promotion, tags: Mapping[str, str], trusted: TrustedKeys, people: int
) -> None:
    """Raises StaleDecision where a decided promotion was made without knowing of one before it that counts.

    The version that it replaced is not the one it was held against.
    """
    if promotion.kind not in DECIDED or not promotion.previous_digest:
        return
    own, known = history_key(promotion.at), history_key(promotion.after) if promotion.after else ""
    for key in history_keys(tags):
        if not known < key < own:
            continue
        try:
            rival = champion_of(registry, key, tags, trusted, people, None)
        except (NotTrusted, Ungated):
            continue
        raise StaleDecision(
            f"{_named(own)} made version {promotion.number} champion by a decision against "
            f"{_version_or_none(promotion.previous)}, when {_named(key)} had made version {rival.version.number} "
            f"champion already: decide anew, with `copydesk gate --challenger {promotion.number} --set FILE`"
        )


def champion_of(
    registry: Registry,
    key: str,
    history: Mapping[str, str],
    trusted: TrustedKeys,
    people: int,
    taken: Champion | None,
) -> Champion:
    """The champion by one promotion of the history; raises NotTrusted, StaleDecision and NotApproved."""
    what = _named(key)
    signed, promotion = promotion_at(key, history[key], trusted)
    must_be_unrivalled(registry, promotion, history, trusted, people)
    try:
        tags = version_tags(registry, promotion.number)
        record = read_record(tags, promotion.record[:ID_CHARACTERS], trusted)
        if taken is not None and taken.signed_promotion == signed:
            must_speak_for(record, taken.version)
            must_be_approved(record, people)
            return taken
        version = describe(registry, str(promotion.number))
    except UnknownVersion as error:
        raise NotTrusted(f"{what} made version {promotion.number} champion, which is gone") from error
    found = Champion(
        version=version,
        signed_promotion=signed,
        signed_record=record.signed,
        signed_approvals=record.signed_approvals,
    )
    verify(found, trusted, people)
    return found.model_copy(update={"decision": decision_text(registry, record.statement)})


def _verified_copy(registry: Registry, found: Champion | None) -> Champion | None:
    if found is not None:
        verify(found, trusted_keys(registry.settings), registry.settings.approvals)
    return found


def _named(key: str) -> str:
    return f"promotion {key.removeprefix(HISTORY_TAG)}"


def _version_or_none(number: int | None) -> str:
    return f"version {number}" if number else "no champion"


def _compared(statement: Statement) -> str:
    if statement.champion_digest == NO_CHAMPION:
        return _version_or_none(None)
    return f"version {statement.champion or 'from files'} of digest {statement.champion_digest[:12]}"


def _moved_by_hand(alias: int, found: Champion | None, now: datetime) -> str:
    if found is None:
        return f"version {alias} is champion by its alias alone, without a signed promotion: {_REMEDY}"
    promotion = found.promotion
    if alias == promotion.previous:
        if abs(now - promotion.at) < MOVING:
            return ""  # whoever promotes is about to move it
        return (
            f"the alias still names version {alias}, and version {promotion.number} was promoted: either the command "
            "was cut off before it moved the alias, then run the same command again; or somebody moved it back by "
            f"hand. Version {promotion.number} goes on serving; {_REMEDY}"
        )
    return (
        f"the alias names version {alias}, which no signed promotion made champion: somebody moved it by hand. "
        f"Version {found.version.number} goes on serving; {_REMEDY}"
    )
