"""Small real values for tests of the service."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, func, select

from agent.article import Article
from agent.check import AnsweredBy, Usage
from agent.finding import Method
from agent.graph import Agent
from agent.guideline import GuidelinePack
from agent.report import ComplianceReport
from agent.spec import AgentSpec
from registry.statement import Kind, Promotion, Statement
from serving.access.audit import Actor
from serving.adapters.database import Database
from serving.adapters.feedback_tables import feedback_outbox
from serving.adapters.sql_jobs import QUEUED
from serving.adapters.stores import Stores
from serving.adapters.tables import jobs, outbox
from serving.evidence import Evidence, Figure, GuidelineEvidence
from serving.job import Job, Request
from serving.ports.jobs import Submission
from serving.ports.versions import ServedVersion
from tests.agent.build import article, pack

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=10)
TEXT = "We utilise experts.\n\nOf course experts say so."
ROOT = Actor("root", "none")
SPEC = AgentSpec(pack=pack())


def agent(number: str = "1", *, of: GuidelinePack | None = None) -> Agent:
    spec = AgentSpec(pack=of) if of else SPEC
    return Agent(spec, stamp=spec.stamp(name="copydesk-agent", number=number, evidence="forced: a test"))


def served(number: str = "1", *, champion: bool = True, at: datetime = NOW, **fields: Any) -> ServedVersion:
    made = agent(number, **fields)
    return ServedVersion(made.stamp, made.spec.pack, champion=champion, served=at)


def evidence(number: int = 1, *, at: datetime = NOW) -> Evidence:
    """What stands behind a first champion that passed."""
    statement = Statement(
        kind=Kind.FIRST,
        outcome="PROMOTE",
        number=number,
        version_digest=SPEC.digest,
        code_digest=SPEC.code,
        pack_digest=SPEC.pack.digest,
        champion=None,
        labelled_set="house, test",
        policy="house",
        run="r1",
        who="ada",
        made=at,
    )
    promotion = Promotion(
        number=number,
        previous=None,
        kind=statement.kind,
        record="d" * 64,
        evidence=statement.evidence,
        who="bob",
        at=at,
    )
    recall, none = Figure(value=0.9, low=0.8, high=0.95), Figure(value=None, low=None, high=None)
    figures = GuidelineEvidence(
        guideline="plain-words", labelled=40, recall=recall, precision=none, false_alarms=recall
    )
    return Evidence(
        record="d" * 16, signer="k1", statement=statement, promotion=promotion, approvers=("eve",), figures=(figures,)
    )


def request(**fields: Any) -> Request:
    defaults: dict[str, Any] = {
        "user": "ada",
        "channel": "test",
        "document_id": "",
        "title": "",
        "language": "en",
        "guidelines": None,
    }
    return Request(**(defaults | fields))


def job(id: str = "a", *, seconds: float = 0, **fields: Any) -> Job:
    """A queued job, submitted `seconds` after NOW."""
    defaults: dict[str, Any] = {
        "request": request(),
        "version": "1",
        "code_digest": SPEC.code,
        "blob": "blob",
        "submitted": NOW + timedelta(seconds=seconds),
    }
    return Job(id=id, **(defaults | fields))


def submission(id: str = "a", *, key: str = "", request_hash: str = "hash", **fields: Any) -> Submission:
    return Submission(job(id, **fields), key, request_hash)


async def claim(stores: Stores, now: datetime = NOW, lease: timedelta = LEASE) -> Job:
    """The next job that waits, claimed."""
    query = select(jobs.c.id, jobs.c.attempt).where(QUEUED)
    order = (jobs.c.priority, jobs.c.turn, jobs.c.submitted_at, jobs.c.id)
    async with stores.database.read() as connection:
        id, attempt = (await connection.execute(query.order_by(*order).limit(1))).one()
    claimed = await stores.leases.claim(id, attempt + 1, now, lease)
    assert claimed
    return claimed


def story(*paragraphs: str) -> Article:
    return article(*(paragraphs or tuple(TEXT.split("\n\n"))))


async def report(text: Article | None = None) -> ComplianceReport:
    return await agent().check(text or story())


USAGE = Usage(calls=1, input_tokens=900, output_tokens=40, cached_tokens=600, answered_by=(AnsweredBy(model="m-1"),))


async def judged_report() -> ComplianceReport:
    """As if a model had been asked about its first guideline."""
    made = await report()
    first, *others = made.outcomes
    judged = first.model_copy(update={"method": Method.MODEL, "usage": USAGE, "seconds": 0.5})
    return made.model_copy(update={"outcomes": (judged, *others), "usage": USAGE})


async def unlogged(database: Database) -> int:
    """Jobs that MLflow is to be told of."""
    return await _due(database, outbox)


async def untold(database: Database) -> int:
    """Jobs whose decisions MLflow is to be told of."""
    return await _due(database, feedback_outbox)


async def _due(database: Database, table: Table) -> int:
    async with database.read() as connection:
        query = select(func.count()).select_from(table).where(table.c.due_at.is_not(None))
        return await connection.scalar(query) or 0
