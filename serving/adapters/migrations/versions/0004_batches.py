"""Batches, and the score of a report beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("user_id", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.String(200)),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("user_id", "idempotency_key"),
    )
    op.create_index("ix_batches_user_submitted", "batches", ["user_id", "submitted_at", "id"])
    op.add_column("jobs", sa.Column("batch_number", sa.Integer))
    op.add_column("results", sa.Column("score", sa.Float))
    op.drop_index("ix_jobs_batch", "jobs")
    in_batch = sa.text("batch_id IS NOT NULL")
    op.create_index(
        "ix_jobs_batch", "jobs", ["batch_id", "batch_number"], postgresql_where=in_batch, sqlite_where=in_batch
    )
