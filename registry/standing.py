"""Who is champion by the signed records, whatever the alias says."""

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
from registry.errors import NotTrusted, Ungated, UnknownVersion
from registry.signatures import ID_CHARACTERS, Signed, TrustedKeys, signed_of
from registry.statement import DECIDED, Promotion, Statement
from registry.trust import trusted_keys
from registry.version import CHAMPION, RegisteredVersion
from registry.versions import describe

HISTORY_TAG = "copydesk.promotion."  # + the moment: a tag each, so that two promotions overwrite nothing
PROMOTE = "PROMOTE"  # what a gate says of a version that may serve
MOVING = timedelta(seconds=10)  # between writing a promotion down and moving the alias
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


def standing(registry: Registry, *, taken: Champion | None = None, now: datetime | None = None) -> Standing:
    """The newest promotion whose records hold. `taken` is what the caller serves by an earlier answer.

    It never goes back behind `taken`: a promotion that is gone was removed by hand.
    """
    trusted, people = trusted_keys(registry.settings), registry.settings.approvals
    entry = model_entry(registry)
    found, refusal = None, ""
    for key in history_keys(entry.tags):
        try:
            found = champion_of(registry, key, entry.tags[key], trusted, people, taken)
            break
        except (NotTrusted, Ungated) as error:
            refusal = refusal or str(error)
    if taken is not None and (found is None or found.promotion.at < taken.promotion.at):
        refusal = refusal or f"the promotion of version {taken.version.number} is gone from the history"
        found = taken
    alias = entry.aliases.get(CHAMPION)
    if not refusal and alias is not None and (found is None or alias != found.version.number):
        refusal = _moved_by_hand(alias, found, now or datetime.now(UTC))
    return Standing(found, refusal)


def verify(found: Champion, trusted: TrustedKeys, people: int) -> Record:
    """Holds a champion's records against each other and against its version; raises NotTrusted and NotApproved."""
    promotion = trusted.read(found.signed_promotion, Promotion, f"the promotion of version {found.version.number}")
    record = verified(found.signed_record, found.signed_approvals, trusted)
    statement = record.statement
    if (promotion.record, promotion.number) != (found.signed_record.digest, found.version.number):
        raise NotTrusted(f"the promotion of version {promotion.number} rests on another record than {record.id}")
    must_speak_for(record, found.version)
    if statement.kind in DECIDED and statement.outcome != PROMOTE:
        raise NotTrusted(f"record {record.id} says {statement.outcome}, and version {promotion.number} was promoted")
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
            promoted = trusted.read(signed_of(entry.tags[key], key), Promotion, key).number
            been.add(promoted)
            if promoted == number:
                return champion_of(registry, key, entry.tags[key], trusted, registry.settings.approvals, None)
        except (NotTrusted, Ungated) as error:
            why = why or f" ({error})"
    listed = ", ".join(map(str, sorted(been))) or "none"
    raise Ungated(f"version {number} was never champion by a record that holds; those promoted: {listed}{why}")


def keep_champion(registry: Registry, found: Champion) -> None:
    """Has this machine know the champion while MLflow is down."""
    LocalCopies(registry.settings.copies, registry.uri).keep_champion(found)


def kept_champion(registry: Registry) -> Champion | None:
    """The champion that was kept, verified again; raises NotTrusted and NotApproved."""
    found = LocalCopies(registry.settings.copies, registry.uri).champion(Champion)
    if found is not None:
        verify(found, trusted_keys(registry.settings), registry.settings.approvals)
    return found


def history_key(promotion: Promotion) -> str:
    return f"{HISTORY_TAG}{promotion.at:%Y%m%dT%H%M%S.%fZ}"


def history_keys(tags: dict[str, str]) -> list[str]:
    return sorted((key for key in tags if key.startswith(HISTORY_TAG)), reverse=True)


def champion_of(
    registry: Registry, key: str, text: str, trusted: TrustedKeys, people: int, taken: Champion | None
) -> Champion:
    """The champion by one promotion; raises NotTrusted and NotApproved."""
    what = f"promotion {key.removeprefix(HISTORY_TAG)}"
    signed = signed_of(text, what)
    promotion = trusted.read(signed, Promotion, what)
    if history_key(promotion) != key:
        raise NotTrusted(f"{what} was copied from another moment of the history: remove that tag")
    if taken is not None and taken.signed_promotion == signed:
        tags = version_tags(registry, promotion.number)
        record = read_record(tags, promotion.record[:ID_CHARACTERS], trusted)
        must_speak_for(record, taken.version)
        return taken
    try:
        version = describe(registry, str(promotion.number))
        tags = version_tags(registry, promotion.number)
    except UnknownVersion as error:
        raise NotTrusted(f"{what} made version {promotion.number} champion, which is gone") from error
    record = read_record(tags, promotion.record[:ID_CHARACTERS], trusted)
    found = Champion(
        version=version,
        signed_promotion=signed,
        signed_record=record.signed,
        signed_approvals=record.signed_approvals,
    )
    verify(found, trusted, people)
    return found.model_copy(update={"decision": decision_text(registry, record.statement)})


def _moved_by_hand(alias: int, found: Champion | None, now: datetime) -> str:
    if found is None:
        return f"version {alias} is champion by its alias alone, without a signed promotion: {_REMEDY}"
    promotion = found.promotion
    if alias == promotion.previous and now - promotion.at < MOVING:
        return ""  # whoever promotes is about to move it
    return (
        f"the alias names version {alias}, which no signed promotion made champion: somebody moved it by hand. "
        f"Version {found.version.number} goes on serving; {_REMEDY}"
    )
