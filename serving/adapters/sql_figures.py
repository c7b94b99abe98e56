"""What became of findings, counted in the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, RowMapping, and_, func, select, union

from serving.adapters.database import Database
from serving.adapters.feedback_tables import feedback, feedback_approvals
from serving.adapters.sql_feedback import WITH_APPROVAL, document_column
from serving.adapters.tables import findings, jobs
from serving.feedback import Action, ApprovalStatus, Reason, state_of
from serving.figures import Count
from serving.job import REPORTED


class SqlFigures:
    """Only reads, from a copy of the database where there is one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, since: datetime, version: str) -> list[Count]:
        raised = _raised(since, version).subquery()
        same = and_(*(raised.c[name] == feedback.c[name] for name in ("user_id", "document", "fingerprint")))
        # Only of what was raised: entries are never removed, so to group all of them would take longer and longer.
        latest = (
            select(*raised.c, func.max(feedback.c.id).label("entry"))
            .select_from(raised.outerjoin(feedback, same))
            .group_by(*raised.c)
            .subquery()
        )
        alike = (
            latest.c.guideline_id,
            latest.c.version,
            feedback.c.action,
            feedback.c.reason,
            feedback_approvals.c.status,
        )
        query = (
            select(*alike, func.count().label("findings"))
            .select_from(latest.outerjoin(WITH_APPROVAL, feedback.c.id == latest.c.entry))
            .group_by(*alike)
        )
        return [_count(row) for row in await self._database.fetch(query)]


def _raised(since: datetime, version: str) -> CompoundSelect[Any]:
    """Each finding of a document once a version. What was decided was raised, also where its job is purged."""
    in_reports = (
        select(
            findings.c.guideline_id,
            jobs.c.version,
            jobs.c.user_id,
            document_column().label("document"),
            findings.c.fingerprint,
        )
        .join(jobs, jobs.c.id == findings.c.job_id)
        .where(jobs.c.status.in_([status.value for status in REPORTED]), jobs.c.submitted_at >= since)
    )
    of = feedback.c
    decided = select(of.guideline_id, of.version, of.user_id, of.document, of.fingerprint).where(of.at >= since)
    if version:
        in_reports, decided = in_reports.where(jobs.c.version == version), decided.where(of.version == version)
    return union(in_reports, decided)


def _count(row: RowMapping) -> Count:
    action = Action(row["action"]) if row["action"] else None
    state = state_of(action, ApprovalStatus(row["status"]) if row["status"] else None)
    reason = Reason(row["reason"]) if row["reason"] else None
    return Count(row["guideline_id"], row["version"], state, reason, row["findings"])
