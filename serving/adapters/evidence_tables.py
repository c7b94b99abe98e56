"""The tables of what stands behind served versions, and of word that it may have changed."""

from sqlalchemy import Column, Integer, String, Table, Text

from serving.adapters.tables import UtcDateTime, metadata

evidence = Table(
    "evidence",
    metadata,
    Column("number", String(20), primary_key=True),  # of the version
    Column("record", String(64), nullable=False),
    Column("signer", String(64), nullable=False),
    Column("statement", Text, nullable=False),  # a Statement as JSON
    Column("promotion", Text, nullable=False),  # a Promotion as JSON; empty: it serves a share
    Column("approvers", Text, nullable=False),  # JSON list of users
    Column("figures", Text, nullable=False),  # JSON list of GuidelineEvidence
    Column("taken_at", UtcDateTime, nullable=False),  # when a worker took the version
    Column("evaluation", String(64), nullable=False, server_default=""),  # its run in MLflow
    Column("answered_by", Text, nullable=False, server_default="[]"),  # JSON list of AnsweredBy: when it was evaluated
    Column("noted", Text, nullable=False, server_default="[]"),  # and since
    Column("expired_at", UtcDateTime),  # null: it holds
    Column("expired_reason", Text, nullable=False, server_default=""),
)

gate_decisions = Table(
    "gate_decisions",  # apart from the evidence, which is read with each version
    metadata,
    Column("run", String(64), primary_key=True),  # of the decision in MLflow
    Column("decision", Text, nullable=False),  # a GateDecision as JSON
)

registry_hints = Table(
    "registry_hints",
    metadata,
    Column("number", Integer, primary_key=True),  # grows
    Column("delivery", String(64), nullable=False, unique=True),  # as MLflow numbers it
    Column("given_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,  # else the number of a row that was removed would come again
)
