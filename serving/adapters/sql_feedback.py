"""What editors say of findings, in the database."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.access.audit import Actor
from serving.adapters.database import Database
from serving.adapters.feedback_tables import feedback, feedback_approvals, feedback_outbox
from serving.adapters.sql_audit import note
from serving.adapters.tables import findings, jobs
from serving.adapters.upsert import upsert
from serving.feedback import (
    Action,
    Approval,
    ApprovalStatus,
    Decision,
    Entry,
    Reason,
    Saying,
    document_of,
    new_entries,
)

PENDING = feedback_approvals.c.status == ApprovalStatus.PENDING.value
ENTRIES = (
    *feedback.c,
    feedback_approvals.c.status.label("approval"),
    feedback_approvals.c.user_id.label("approval_by"),
    feedback_approvals.c.at.label("approval_at"),
    feedback_approvals.c.comment.label("approval_comment"),
)
VERBS = {ApprovalStatus.APPROVED: "dismissal.approve", ApprovalStatus.DECLINED: "dismissal.decline"}
WITH_APPROVAL = feedback.outerjoin(feedback_approvals, feedback_approvals.c.feedback_id == feedback.c.id)


class SqlFeedback:
    """Whoever decides also moves on the revision of every job whose result says otherwise by then."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def findings(self, job_id: str) -> dict[str, str]:
        query = select(findings.c.fingerprint, findings.c.guideline_id).where(findings.c.job_id == job_id)
        return {row["fingerprint"]: row["guideline_id"] for row in await self._database.fetch(query)}

    async def standing(self, user: str, document: str) -> dict[str, Entry]:
        return _by_finding(await self._database.fetch(_standing(user, document)))

    async def history(self, user: str, document: str, finding: str) -> list[Entry]:
        of = feedback.c
        query = select(*ENTRIES).select_from(WITH_APPROVAL).order_by(of.id)
        query = query.where(of.user_id == user, of.document == document, of.fingerprint == finding)
        return [entry_of(row) for row in await self._database.fetch(query)]

    async def decide(self, saying: Saying) -> list[Entry]:
        user, document = saying.job.request.user, document_of(saying.job)
        async with self._database.write() as connection:
            if self._database.is_postgres:
                # Decisions about one document follow each other. SQLite has one writer anyway.
                lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:document, 1))")
                await connection.execute(lock, {"document": f"{user} {document}"})
            standing = _by_finding((await connection.execute(_standing(user, document))).mappings())
            new = new_entries(saying, standing)
            if not new:
                return []
            await _add(connection, new)
            changed = {entry.decision.finding for entry in new}
            await _move_on(connection, user, document, changed)
            before = {standing[finding].job_id for finding in changed if finding in standing}
            await _tell(connection, {saying.job.id, *before}, saying.at)
        return new

    async def pending(self, after: int, limit: int) -> list[Entry]:
        query = select(*ENTRIES).select_from(WITH_APPROVAL).where(PENDING, feedback_approvals.c.feedback_id > after)
        rows = await self._database.fetch(query.order_by(feedback_approvals.c.feedback_id).limit(limit))
        return [entry_of(row) for row in rows]

    async def judge(self, id: int, status: ApprovalStatus, *, by: Actor, comment: str, now: datetime) -> Entry | None:
        of = feedback_approvals.c
        values = {"status": status.value, "user_id": by.user, "at": now, "comment": comment}
        says_more = or_(of.status != status.value, of.comment != comment)
        async with self._database.write() as connection:
            found = (await connection.execute(_entry(id))).mappings().first()
            if found is None:
                return None
            changed = update(feedback_approvals).where(of.feedback_id == id, says_more).values(values)
            if (await connection.execute(changed)).rowcount:
                finding = {found["fingerprint"]}
                await _move_on(connection, found["user_id"], found["document"], finding)
                await _tell(connection, {found["job_id"]}, now)
                await note(connection, by, VERBS[status], str(id), found["guideline_id"], now=now)
            judged = (await connection.execute(_entry(id))).mappings().first()
            return entry_of(judged) if judged else None  # taken back at the same moment


def standing_ids(*conditions: ColumnElement[bool]) -> Select[tuple[int]]:
    """Of the latest entry of each finding in a document of a user."""
    of = feedback.c
    return select(func.max(of.id)).where(*conditions).group_by(of.user_id, of.document, of.fingerprint)


def entry_of(row: RowMapping) -> Entry:
    approval = None
    if row["approval"]:
        status = ApprovalStatus(row["approval"])
        approval = Approval(status, row["approval_by"], row["approval_at"], row["approval_comment"])
    reason = Reason(row["reason"]) if row["reason"] else None
    return Entry(
        user=row["user_id"],
        document=row["document"],
        guideline=row["guideline_id"],
        decision=Decision(row["fingerprint"], Action(row["action"]), reason, row["comment"]),
        job_id=row["job_id"],
        version=row["version"],
        at=row["at"],
        approval=approval,
        id=row["id"],
    )


def document_column() -> ColumnElement[str]:
    """Of a row of jobs, what `document_of` says of the job."""
    of_id = literal("id:") + jobs.c.document_id
    return case((jobs.c.document_id != "", of_id), else_=literal("article:") + jobs.c.blob)


def _standing(user: str, document: str) -> Select[Any]:
    of_document = (feedback.c.user_id == user, feedback.c.document == document)
    return select(*ENTRIES).select_from(WITH_APPROVAL).where(feedback.c.id.in_(standing_ids(*of_document)))


def _by_finding(rows: Iterable[RowMapping]) -> dict[str, Entry]:
    return {row["fingerprint"]: entry_of(row) for row in rows}


async def _add(connection: AsyncConnection, new: Sequence[Entry]) -> None:
    numbered = insert(feedback).returning(feedback.c.id, sort_by_parameter_order=True)
    ids = (await connection.execute(numbered, [_row(entry) for entry in new])).scalars().all()
    last = {entry.decision.finding: (id, entry) for id, entry in zip(ids, new, strict=True)}
    # Nobody needs to approve what its editor has changed.
    superseded = select(feedback.c.id).where(
        feedback.c.user_id == new[0].user,
        feedback.c.document == new[0].document,
        feedback.c.fingerprint.in_(list(last)),
    )
    await connection.execute(
        delete(feedback_approvals).where(PENDING, feedback_approvals.c.feedback_id.in_(superseded))
    )
    asked = [
        {"feedback_id": id, "status": entry.approval.status.value, "user_id": "", "at": None, "comment": ""}
        for id, entry in last.values()
        if entry.approval
    ]
    if asked:
        await connection.execute(insert(feedback_approvals), asked)


async def _move_on(connection: AsyncConnection, user: str, document: str, changed: Iterable[str]) -> None:
    kind, _, name = document.partition(":")
    of_id = jobs.c.document_id == name
    same = of_id if kind == "id" else and_(jobs.c.document_id == "", jobs.c.blob == name)
    raised = exists().where(findings.c.job_id == jobs.c.id, findings.c.fingerprint.in_(list(changed)))
    moved = update(jobs).where(jobs.c.user_id == user, same, raised).values(revision=jobs.c.revision + 1)
    await connection.execute(moved)


async def _tell(connection: AsyncConnection, job_ids: Iterable[str], at: datetime) -> None:
    """MLflow is to be told of these jobs' decisions; of a purged one it is no longer told."""
    kept = (await connection.execute(select(jobs.c.id).where(jobs.c.id.in_(list(job_ids))))).scalars().all()
    rows = [{"job_id": id, "attempts": 0, "due_at": at, "reason": ""} for id in kept]
    if not rows:
        return
    told = upsert(connection, feedback_outbox)
    # Attempts fence.
    again = {"attempts": feedback_outbox.c.attempts + 1, "due_at": told.excluded.due_at, "reason": ""}
    await connection.execute(told.on_conflict_do_update(index_elements=["job_id"], set_=again), rows)


def _entry(id: int) -> Select[Any]:
    """The entry, where it needs an approval and nothing later was said of the finding."""
    later = feedback.alias()
    superseded = exists().where(
        later.c.user_id == feedback.c.user_id,
        later.c.document == feedback.c.document,
        later.c.fingerprint == feedback.c.fingerprint,
        later.c.id > feedback.c.id,
    )
    needed = feedback_approvals.c.feedback_id.is_not(None)
    return select(*ENTRIES).select_from(WITH_APPROVAL).where(feedback.c.id == id, needed, ~superseded)


def _row(entry: Entry) -> dict[str, object]:
    decision = entry.decision
    return {
        "user_id": entry.user,
        "document": entry.document,
        "fingerprint": decision.finding,
        "guideline_id": entry.guideline,
        "action": decision.action.value,
        "reason": decision.reason.value if decision.reason else None,
        "comment": decision.comment,
        "job_id": entry.job_id,
        "version": entry.version,
        "at": entry.at,
    }
