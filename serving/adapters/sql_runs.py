"""What was checked, read for comparisons and for the day's figures."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Row, Select, String, Subquery, and_, case, cast, func, select, type_coerce

from agent.check import Verdict
from agent.report import ComplianceReport
from serving.adapters.database import Database
from serving.adapters.sql_feedback import document_column
from serving.adapters.sql_outbox import LOGGED
from serving.adapters.tables import compliance_results, findings, jobs, outbox, results
from serving.day import Ending
from serving.job import ENDED, JobStatus
from serving.runs import CheckedDocument, Raised, Scope, Side

CHECKED = (Verdict.CLEAR.value, Verdict.FINDINGS.value)


class SqlRuns:
    """Only reads, from a copy of the database where there is one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def documents(self, side: Side, scope: Scope, limit: int) -> list[CheckedDocument]:
        latest = self._latest(side, scope, limit).subquery()
        of = compliance_results.c
        # One row a job: a row for each guideline took 25 MB more for 2,000 jobs, and most of the time.
        each = func.aggregate_strings(of.guideline_id + " " + cast(of.findings, String), ",")
        counts = (
            select(of.job_id, each)
            .join(latest, latest.c.id == of.job_id)
            .where(of.verdict.in_(CHECKED))
            .group_by(of.job_id)
        )
        if scope.guideline:
            counts = counts.where(of.guideline_id == scope.guideline)
        async with self._database.read() as connection:
            rows = (await connection.execute(self._facts(latest))).all()
            by_job: dict[str, dict[str, int]] = {row.id: {} for row in rows}
            for job_id, listed in await connection.execute(counts):
                if job_id in by_job:  # a report may have come between the two questions
                    by_job[job_id] = {id: int(found) for id, found in _pairs(listed)}
        # Sorted here: the database would sort the whole reports along.
        latest_first = sorted(rows, key=lambda row: (row.submitted_at, row.id), reverse=True)
        return [_document(row, by_job[row.id]) for row in latest_first]

    async def raised(self, job_ids: Sequence[str]) -> list[Raised]:
        each = func.aggregate_strings(findings.c.guideline_id + " " + findings.c.fingerprint, ",")
        query = select(findings.c.job_id, each).where(findings.c.job_id.in_(job_ids)).group_by(findings.c.job_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Raised(job_id, id, fingerprint) for job_id, listed in rows for id, fingerprint in _pairs(listed)]

    async def reports(self, job_ids: Sequence[str]) -> dict[str, ComplianceReport]:
        query = select(results.c.job_id, results.c.report).where(results.c.job_id.in_(job_ids))
        rows = await self._database.fetch(query)
        return {row["job_id"]: ComplianceReport.model_validate_json(row["report"]) for row in rows}

    async def versions(self, since: datetime) -> dict[str, int]:
        query = select(jobs.c.version, func.count().label("jobs")).where(_complete(), jobs.c.submitted_at >= since)
        rows = await self._database.fetch(query.group_by(jobs.c.version))
        return {row["version"]: row["jobs"] for row in rows}

    async def channels(self, since: datetime) -> list[str]:
        query = select(jobs.c.channel).where(_complete(), jobs.c.submitted_at >= since).distinct()
        return sorted(row["channel"] for row in await self._database.fetch(query))

    async def ended(self, since: datetime) -> list[Ending]:
        columns = (jobs.c.status, jobs.c.submitted_at, jobs.c.started_at, jobs.c.finished_at)
        query = select(*columns).where(
            jobs.c.status.in_([status.value for status in ENDED]), jobs.c.submitted_at >= since
        )
        async with self._database.read() as connection:
            return [Ending(JobStatus(row[0]), *row[1:]) for row in await connection.execute(query)]

    def _latest(self, side: Side, scope: Scope, limit: int) -> Select[Any]:
        """Ids of each document's latest complete job on a side, the latest first."""
        document = document_column()
        turn = func.row_number().over(
            partition_by=(jobs.c.user_id, document), order_by=(jobs.c.submitted_at.desc(), jobs.c.id.desc())
        )
        conditions = [_complete(), jobs.c.submitted_at >= side.since, jobs.c.submitted_at < side.until]
        if side.version:
            conditions.append(jobs.c.version == side.version)
        if scope.channel:
            conditions.append(jobs.c.channel == scope.channel)
        if scope.documents:
            conditions.append(jobs.c.document_id.startswith(scope.documents, autoescape=True))
        if scope.guideline:
            checked = select(compliance_results.c.job_id).where(
                compliance_results.c.guideline_id == scope.guideline, compliance_results.c.verdict.in_(CHECKED)
            )
            conditions.append(jobs.c.id.in_(checked))
        ranked = select(jobs.c.id, jobs.c.submitted_at, turn.label("turn")).where(and_(*conditions)).subquery()
        order = (ranked.c.submitted_at.desc(), ranked.c.id.desc())
        return select(ranked.c.id).where(ranked.c.turn == 1).order_by(*order).limit(limit)

    def _facts(self, latest: Subquery) -> Select[Any]:
        # SQLite's JSON is text, which a cast would make a number.
        report: ColumnElement[Any] = (
            cast(results.c.report, JSON) if self._database.is_postgres else type_coerce(results.c.report, JSON)
        )
        usage, of, is_kept = report["usage"], results.c, results.c.words.is_not(None)

        def figure(kept: ColumnElement[Any], reported: ColumnElement[Any]) -> ColumnElement[Any]:
            """As it is kept; a report is only read where it isn't."""
            return case((is_kept, kept), else_=reported)

        return (
            select(
                jobs.c.id,
                jobs.c.user_id,
                document_column().label("document"),
                jobs.c.title,
                jobs.c.document_id,
                jobs.c.blob,
                jobs.c.version,
                jobs.c.submitted_at,
                jobs.c.finished_at,
                results.c.score,
                figure(of.words, report[("article", "words")].as_integer()).label("words"),
                figure(of.cost, usage["cost"].as_float()).label("cost"),
                figure(of.input_tokens, usage["input_tokens"].as_integer()).label("input_tokens"),
                figure(of.output_tokens, usage["output_tokens"].as_integer()).label("output_tokens"),
                figure(of.seconds, report["seconds"].as_float()).label("seconds"),
                func.coalesce(outbox.c.run_id, "").label("run_id"),
            )
            .join(latest, latest.c.id == jobs.c.id)
            .join(results, results.c.job_id == jobs.c.id)
            .outerjoin(outbox, and_(outbox.c.job_id == jobs.c.id, LOGGED))
        )


def _pairs(listed: str) -> Iterator[tuple[str, str]]:
    """Ids of guidelines, which have no space and no comma, and what belongs to each."""
    for each in listed.split(","):
        id, _, rest = each.partition(" ")
        yield sys.intern(id), rest


def _complete() -> ColumnElement[bool]:
    return jobs.c.status == JobStatus.COMPLETED.value


def _document(row: Row[Any], found: dict[str, int]) -> CheckedDocument:
    return CheckedDocument(
        job_id=row.id,
        user=row.user_id,
        document=row.document,
        title=row.title,
        document_id=row.document_id,
        blob=row.blob,
        version=row.version,
        submitted=row.submitted_at,
        words=row.words,
        score=row.score,
        cost=row.cost,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        seconds=row.seconds,
        turnaround=(row.finished_at - row.submitted_at).total_seconds(),
        run_id=row.run_id,
        findings=found,
    )
