"""Trials: a version that may serve a share of the articles before it is champion, by a decision and a signed consent.

A trial makes nobody champion. It is signed where promotions are signed, for one rollout on its terms and for so many
days. Who can write to the database alone can have no version serve that a gate has not passed; within those days they
can give one that has a rollout any stage of its terms, also after it was aborted.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from registry.aliases import decided, must_say_promote
from registry.connection import Registry
from registry.decisions import (
    Record,
    find_decision,
    must_be_approved,
    must_speak_for,
    read_record,
    version_tags,
)
from registry.errors import NotTrusted, StaleDecision, Ungated, UnknownVersion
from registry.signatures import ID_CHARACTERS, Signed, signed_of
from registry.standing import Champion, standing
from registry.statement import Trial
from registry.trust import signing_key, trusted_keys
from registry.version import RegisteredVersion
from registry.versions import describe

CONSENT = timedelta(days=30)  # a rollout that takes longer is started anew


class Tried(NamedTuple):
    """A version that may serve a share, and by what."""

    version: RegisteredVersion
    record: Record


def consent(
    registry: Registry,
    number: int,
    *,
    rollout: str,
    terms: str,
    who: str,
    signed_in: str = "",
    decision: str = "",
    policy_digest: str = "",
    set_digest: str = "",
) -> Signed:
    """Signs that a version may serve beside the champion, in stages and limits of the digest `terms`.

    It needs what a promotion needs, and holds for CONSENT.

    Raises UnknownVersion, NotTrusted, NoSigningKey, and Ungated: DecidedAgainst, StaleDecision or NotApproved.
    """
    key = signing_key(registry.settings)
    version = describe(registry, str(number))
    incumbent = standing(registry).champion
    if incumbent is None:
        raise Ungated(f"there is no champion that version {number} could serve beside: `copydesk promote {number}`")
    if incumbent.version.number == number:
        raise Ungated(f"version {number} is the champion and has all articles already")
    record = decided(registry, version, incumbent, decision, policy_digest=policy_digest, set_digest=set_digest)
    now = datetime.now(UTC)
    trial = Trial(
        rollout=rollout,
        number=number,
        champion=incumbent.version.number,
        record=record.signed.digest,
        terms=terms,
        who=who,
        signed_in=signed_in,
        at=now,
        until=now + CONSENT,
    )
    return key.sign(trial)


def tried(
    registry: Registry, text: str, *, rollout: str, terms: str, number: int, champion: Champion, now: datetime
) -> Tried:
    """The version by a consent as it was stored, verified; raises NotTrusted and Ungated."""
    trusted, what = trusted_keys(registry.settings), f"the consent to rollout {rollout}"
    trial = trusted.read(signed_of(text, what), Trial, what)
    if (trial.rollout, trial.number, trial.champion) != (rollout, number, champion.version.number):
        raise NotTrusted(f"{what} of version {number} was given for another one: start it anew")
    if trial.terms != terms:
        raise NotTrusted(f"{what} was given for other stages and limits than it has now: start it anew")
    if now > trial.until:
        raise NotTrusted(f"{what} ended on {trial.until:%Y-%m-%d}: start it anew")
    try:
        version = describe(registry, str(number))
        tags = version_tags(registry, number)
    except UnknownVersion as error:
        raise NotTrusted(f"{what} is of version {number}, which is gone") from error
    record = read_record(tags, trial.record[:ID_CHARACTERS], trusted)
    if record.signed.digest != trial.record:
        raise NotTrusted(f"{what} rests on another record than {record.id}: start it anew")
    _must_let_serve(registry, record, version)
    if record.statement.champion_digest != champion.version.digest:
        raise StaleDecision(
            f"decision {record.statement.run} held version {number} against another champion than version "
            f"{champion.version.number}: decide anew"
        )
    return Tried(version, record)


def newest_record(registry: Registry, version: RegisteredVersion) -> Record:
    """The newest decision about a version where it says PROMOTE; raises NotTrusted and Ungated."""
    record = find_decision(registry, version.number)
    _must_let_serve(registry, record, version)
    return record


def evidence_of(record: Record) -> str:
    """As reports of the version carry it until it is champion."""
    return f"{record.statement.evidence}; serves a share, not promoted"


def _must_let_serve(registry: Registry, record: Record, version: RegisteredVersion) -> None:
    must_say_promote(record)
    must_speak_for(record, version)
    must_be_approved(record, registry.settings.approvals)
