"""Decision records in MLflow: signed, written beside the version they speak of, and held against it.

The small signed statement is a tag of the model version and a file of the decision's run. The decision itself, with all
its figures, stays in that run; the statement names it by its SHA-256.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from mlflow.exceptions import MlflowException

from registry.artifacts import store
from registry.connection import ABSENT, Registry
from registry.errors import NotApproved, NotTrusted, Ungated, UnknownEvaluation, UnknownVersion
from registry.evaluations import read_decision
from registry.signatures import Signed, TrustedKeys, signed_of
from registry.statement import DECIDED, Approval, Statement
from registry.trust import signing_key, trusted_keys
from registry.version import MODEL_NAME, RegisteredVersion

RECORD_KEY = "copydesk.record."  # + id: a tag of the model version
APPROVAL_KEY = "copydesk.approval."  # + id of the record + . + id of the approval
STATEMENT_ARTIFACT = "statement.json"
RECORD_ID = "record_id"  # tags of the decision's run
RECORD_VERSION = "record_version"


class Record(NamedTuple):
    """A statement whose signature holds, with those who stand behind it."""

    statement: Statement
    signed: Signed
    approvals: tuple[Approval, ...]  # that count: signed by other keys than the statement, of other people
    signed_approvals: tuple[Signed, ...]

    @property
    def id(self) -> str:
        return self.signed.id


def write_statement(registry: Registry, statement: Statement) -> Signed:
    """Signs it and writes it beside the version; raises NoSigningKey.

    A decision is dated behind those before it, whatever this machine's clock says: the newest one counts.
    """
    key = signing_key(registry.settings)
    if statement.kind in DECIDED:
        statement = statement.model_copy(update={"made": _behind_others(registry, statement)})
    signed = key.sign(statement)
    text = signed.model_dump_json()
    with registry.answering():
        if statement.kind in DECIDED:
            artifacts = registry.client.get_run(statement.run).info.artifact_uri
            store(registry, artifacts, {STATEMENT_ARTIFACT: text.encode()})
            registry.client.set_tag(statement.run, RECORD_ID, signed.id)
            registry.client.set_tag(statement.run, RECORD_VERSION, str(statement.number))
        registry.client.set_model_version_tag(MODEL_NAME, str(statement.number), f"{RECORD_KEY}{signed.id}", text)
    return signed


def version_tags(registry: Registry, number: int) -> dict[str, str]:
    """Raises UnknownVersion."""
    with registry.answering():
        try:
            return dict(registry.client.get_model_version(MODEL_NAME, str(number)).tags)
        except MlflowException as error:
            if error.error_code == ABSENT:
                raise UnknownVersion(f"version {number} is not registered any more") from error
            raise


def read_record(tags: Mapping[str, str], record_id: str, trusted: TrustedKeys) -> Record:
    """The record of this id among a version's tags; raises NotTrusted."""
    text = tags.get(f"{RECORD_KEY}{record_id}")
    if text is None:
        raise NotTrusted(f"record {record_id} is gone: somebody removed it, so decide anew")
    signed = signed_of(text, f"record {record_id}")
    if signed.id != record_id:
        raise NotTrusted(f"record {record_id} is not what was written there: somebody changed it, so decide anew")
    prefix = f"{APPROVAL_KEY}{record_id}."
    return verified(signed, _signed(tags[key] for key in sorted(tags) if key.startswith(prefix)), trusted)


def verified(signed: Signed, approvals: Iterable[Signed], trusted: TrustedKeys) -> Record:
    """A record with those of its approvals that count; raises NotTrusted for the record itself."""
    statement = trusted.read(signed, Statement, f"record {signed.id}")
    counted: dict[str, tuple[Approval, Signed]] = {}
    for each in approvals:
        try:
            approval = trusted.read(each, Approval, "an approval")
        except NotTrusted:
            continue
        other = approval.who != statement.who and each.key != signed.key
        if other and approval.record == signed.digest and each.key not in {one.key for _, one in counted.values()}:
            counted.setdefault(approval.who, (approval, each))
    return Record(
        statement,
        signed,
        tuple(approval for approval, _ in counted.values()),
        tuple(one for _, one in counted.values()),
    )


def must_speak_for(record: Record, version: RegisteredVersion) -> None:
    """Raises NotTrusted where the record is about other content than the version has."""
    statement = record.statement
    pairs = {
        "number": (statement.number, version.number),
        "version digest": (statement.version_digest, version.digest),
        "code digest": (statement.code_digest, version.code_digest),
        "pack digest": (statement.pack_digest, version.pack_digest),
    }
    for name, (said, found) in pairs.items():
        if said != found:
            raise NotTrusted(
                f"record {record.id} speaks of {name} {str(said)[:12]}, version {version.number} has "
                f"{str(found)[:12]}: it is the record of something else, so decide anew"
            )


def must_be_approved(record: Record, people: int) -> None:
    """Raises NotApproved while fewer people than `people`, or than its policy asks for, stand behind it."""
    needed = max(people, record.statement.approvals)
    behind = 1 + len(record.approvals)
    if record.statement.kind in DECIDED and behind < needed:
        raise NotApproved(
            f"decision {record.statement.run} needs {needed} people and has {behind}: somebody else says "
            f"`copydesk approve {record.statement.run}`"
        )


def decision_text(registry: Registry, statement: Statement) -> str:
    """The whole decision that a statement rests on; raises NotTrusted where it is another or gone.

    Empty for what no gate decided.
    """
    if not statement.run:
        return ""
    try:
        data = read_decision(registry, statement.run)
    except UnknownEvaluation as error:
        raise NotTrusted(f"decision {statement.run} is gone: {error}") from error
    must_be_the_decision(data, statement)
    return data.decode()


def must_be_the_decision(data: bytes, statement: Statement) -> None:
    """Raises NotTrusted."""
    if hashlib.sha256(data).hexdigest() != statement.decision_digest:
        raise NotTrusted(
            f"decision.json of run {statement.run} is not the one that was signed: somebody changed it, so decide anew"
        )
    said = json.loads(data)
    for name, signed in (("set_digest", statement.set_digest), ("policy_digest", statement.policy_digest)):
        if said[name] != signed:
            raise NotTrusted(f"decision.json of run {statement.run} has another {name} than its signed statement")


def find_decision(registry: Registry, number: int, run: str = "") -> Record:
    """The newest decision about a version, or the one of a run; raises Ungated and NotTrusted."""
    tags = version_tags(registry, number)
    found = [key for key in sorted(tags) if key.startswith(RECORD_KEY) and _is_decision(tags[key], run)]
    if not found:
        which = f"no decision {run}" if run else "no gate decision"
        raise Ungated(
            f"version {number} has {which}: run `copydesk gate --challenger {number} --set FILE`, "
            "or say with --force REASON why it should serve all the same"
        )
    newest = max(found, key=lambda key: _made(tags[key]))
    return read_record(tags, newest.removeprefix(RECORD_KEY), trusted_keys(registry.settings))


def decision_of_run(registry: Registry, run: str) -> Record:
    """The signed decision of an MLflow run; raises UnknownEvaluation, Ungated and NotTrusted."""
    read_decision(registry, run)
    with registry.answering():
        said = registry.client.get_run(run).data.tags
    record_id, number = said.get(RECORD_ID, ""), said.get(RECORD_VERSION, "")
    if not record_id or not number.isdecimal():
        raise Ungated(
            f"decision {run} was not signed: set COPYDESK_SIGNING_KEY, and decide again on a registered version"
        )
    return read_record(version_tags(registry, int(number)), record_id, trusted_keys(registry.settings))


def write_approval(registry: Registry, record: Record, approval: Approval) -> None:
    """Signs that somebody else stands behind a decision; raises NotApproved where they can't be counted."""
    statement, key = record.statement, signing_key(registry.settings)
    if not statement.signed_in:
        raise NotApproved(
            f"decision {statement.run} was made by {statement.who!r} without signing in, so nobody can tell whether "
            "you are somebody else: decide again with COPYDESK_URL and COPYDESK_KEY set"
        )
    if approval.who == statement.who:
        raise NotApproved(f"{approval.who!r} made decision {statement.run}: somebody else must approve it")
    if approval.who in {each.who for each in record.approvals}:
        raise NotApproved(f"{approval.who!r} has approved decision {statement.run} before: once is what counts")
    if key.public().id in {record.signed.key, *(each.key for each in record.signed_approvals)}:
        raise NotApproved(
            f"key {key.public().id} has signed for decision {statement.run} before, and one key is one person: "
            "set COPYDESK_SIGNING_KEY to your own"
        )
    signed = key.sign(approval)
    name = f"{APPROVAL_KEY}{record.id}.{signed.id}"
    with registry.answering():
        registry.client.set_model_version_tag(MODEL_NAME, str(statement.number), name, signed.model_dump_json())


def _behind_others(registry: Registry, statement: Statement) -> datetime:
    trusted, before = trusted_keys(registry.settings), list[datetime]()
    for key, text in version_tags(registry, statement.number).items():
        if not key.startswith(RECORD_KEY):
            continue
        try:
            other = trusted.read(signed_of(text, "a record"), Statement, "a record")
        except NotTrusted:
            continue
        if other.kind in DECIDED:
            before.append(other.made + timedelta(microseconds=1))
    return max((statement.made, *before))


def _signed(texts: Iterable[str]) -> list[Signed]:
    found = []
    for text in texts:
        try:
            found.append(signed_of(text, "an approval"))
        except NotTrusted:
            continue  # it counts for nobody
    return found


def _is_decision(text: str, run: str) -> bool:
    """Whether a tag holds a gate's decision, of this run where one is named; one that can't be read is looked at."""
    try:
        body = signed_of(text, "a record").body
    except NotTrusted:
        return not run
    return str(body.get("kind")) in DECIDED and (not run or body.get("run") == run)


def _made(text: str) -> str:
    try:
        return str(signed_of(text, "a record").body.get("made", ""))
    except NotTrusted:
        return "~"  # behind every date: what can't be read is not passed over
