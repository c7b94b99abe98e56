"""Jobs, their results, and what goes to MLflow."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("jobs"):  # made before there were revisions
        return
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("user_id", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(50), nullable=False),
        sa.Column("document_id", sa.String(500), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("guidelines", sa.Text),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("code_digest", sa.String(64), nullable=False),
        sa.Column("blob", sa.String(64), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer),
        sa.Column("guideline", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("submitted_at", UTC, nullable=False),
        sa.Column("started_at", UTC),
        sa.Column("finished_at", UTC),
        sa.Column("lease_until", UTC),
        sa.Column("idempotency_key", sa.String(200)),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("user_id", "idempotency_key"),
    )
    op.create_index("ix_jobs_status_submitted", "jobs", ["status", "submitted_at"])
    op.create_table(
        "results",
        _job(),
        sa.Column("report", sa.Text, nullable=False),
    )
    op.create_table(
        "outbox",
        _job(),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", UTC),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
    )
    op.create_index("ix_outbox_due", "outbox", ["due_at"])
    op.create_table(
        "served_versions",
        sa.Column("number", sa.String(20), primary_key=True),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("champion", sa.Boolean, nullable=False),
        sa.Column("served_at", UTC, nullable=False),
    )
    op.create_table("recordings", _job(), sa.Column("recording", sa.LargeBinary, nullable=False))
    op.create_table(
        "kept_checks",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("verdict", sa.LargeBinary, nullable=False),
        sa.Column("kept_at", UTC, nullable=False),
    )
    op.create_index("ix_kept_checks_kept_at", "kept_checks", ["kept_at"])


def _job() -> sa.Column[str]:
    return sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
