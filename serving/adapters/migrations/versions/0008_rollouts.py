"""Challengers beside the champion: rollouts and shadows."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("compliance_results", sa.Column("unanchored", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "rollouts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("active", sa.Boolean, unique=True),
        sa.Column("challenger", sa.String(20), nullable=False),
        sa.Column("champion", sa.String(20), nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("signed", sa.Text, nullable=False),
        sa.Column("user_id", sa.String(200), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage", sa.Integer, nullable=False),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "shadows",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("active", sa.Boolean, unique=True),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("champion", sa.String(20), nullable=False),
        sa.Column("share", sa.Float, nullable=False),
        sa.Column("checks_a_day", sa.Integer),
        sa.Column("budget", sa.Float),
        sa.Column("user_id", sa.String(200), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "shadow_checks",
        sa.Column("shadow_id", sa.String(32), sa.ForeignKey("shadows.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("unit", sa.String(500), primary_key=True),
        sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("cost", sa.Float, nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_shadow_checks_job", "shadow_checks", ["job_id"])
    op.create_table(
        "shadow_results",
        sa.Column("shadow_id", sa.String(32), sa.ForeignKey("shadows.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("guideline_id", sa.String(64), primary_key=True),
        sa.Column("both", sa.Integer, nullable=False),
        sa.Column("only_champion", sa.Text, nullable=False),
        sa.Column("only_challenger", sa.Text, nullable=False),
    )
    op.create_index("ix_shadow_results_job", "shadow_results", ["job_id"])
