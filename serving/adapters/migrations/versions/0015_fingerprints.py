"""Findings by fingerprint, which is asked; by guideline nobody asks."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_index("ix_findings_fingerprint", "findings", ["fingerprint"])
    op.drop_index("ix_findings_guideline", "findings")
