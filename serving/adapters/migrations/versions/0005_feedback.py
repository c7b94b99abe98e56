"""What editors say of findings."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    entry_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "feedback",
        sa.Column("id", entry_id, primary_key=True, autoincrement=True),
        sa.Column("user_id", sa.String(200), nullable=False),
        sa.Column("document", sa.String(520), nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("guideline_id", sa.String(64), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_feedback_finding", "feedback", ["user_id", "document", "fingerprint", "id"])
    op.create_index("ix_feedback_job", "feedback", ["job_id"])
    op.create_index("ix_feedback_at", "feedback", ["at"])
    op.create_table(
        "feedback_approvals",
        sa.Column("feedback_id", entry_id, sa.ForeignKey("feedback.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("user_id", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("comment", sa.Text, nullable=False),
    )
    pending = sa.text("status = 'pending'")
    op.create_index(
        "ix_feedback_approvals_pending",
        "feedback_approvals",
        ["feedback_id"],
        postgresql_where=pending,
        sqlite_where=pending,
    )
    op.create_table(
        "feedback_outbox",
        sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("ix_feedback_outbox_due", "feedback_outbox", ["due_at"])
    op.create_index("ix_jobs_blob", "jobs", ["blob"])
