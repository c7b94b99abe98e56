"""What the gate ruled, claim by claim, in a table of its own: the row of a version is read with each article."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "gate_decisions",
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("decision", sa.Text, nullable=False),
    )
