"""Fair turns, priorities, retries and dead letters of jobs; what was found, as rows."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for column in (
        sa.Column("article_hash", sa.String(64), nullable=False, server_default=""),
        sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
        sa.Column("turn", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("dead", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
        sa.Column("attempts_from", sa.Integer, nullable=False, server_default="0"),
        sa.Column("checked", sa.Text, nullable=False, server_default=""),
        sa.Column("callback_url", sa.Text, nullable=False, server_default=""),
        sa.Column("batch_id", sa.String(32)),
        sa.Column("trace_parent", sa.String(64), nullable=False, server_default=""),
    ):
        op.add_column("jobs", column)
    _index_jobs()
    op.create_table(
        "compliance_results",
        _job(),
        sa.Column("guideline_id", sa.String(64), primary_key=True),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("method", sa.String(20)),
        sa.Column("findings", sa.Integer, nullable=False),
    )
    op.create_table(
        "findings",
        _job(),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("guideline_id", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=False),
    )
    op.create_index("ix_findings_guideline", "findings", ["guideline_id", "job_id"])
    op.create_table(
        "locks",
        sa.Column("name", sa.String(50), primary_key=True),
        sa.Column("holder", sa.String(100), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        _make_queue()


def _index_jobs() -> None:
    op.drop_index("ix_jobs_status_submitted", "jobs")
    op.create_index("ix_jobs_status_submitted", "jobs", ["status", sa.desc(sa.column("submitted_at"))])
    op.create_index("ix_jobs_user_status", "jobs", ["user_id", "status"])
    op.create_index("ix_jobs_user_submitted", "jobs", ["user_id", "submitted_at", "id"])
    op.create_index("ix_jobs_document", "jobs", ["user_id", "document_id"])
    op.create_index("ix_jobs_article", "jobs", ["article_hash", "submitted_at"])
    op.create_index("ix_jobs_batch", "jobs", ["batch_id"], postgresql_where=sa.text("batch_id IS NOT NULL"))
    queued = sa.text("status = 'queued'")
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["status", "priority", "turn", "submitted_at", "id"],
        postgresql_where=queued,
        sqlite_where=queued,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_jobs_status_lookup",
            "jobs",
            ["id"],
            postgresql_include=["user_id", "status", "done", "total", "guideline", "revision"],
        )


def _make_queue() -> None:
    """procrastinate's own tables. What a later procrastinate adds to them comes with a revision of ours."""
    from procrastinate.schema import SchemaManager

    op.get_bind().connection.cursor().execute(SchemaManager.get_schema())


def _job() -> sa.Column[str]:
    return sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
