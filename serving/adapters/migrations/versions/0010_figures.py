"""What figures are made of, beside the reports: reading it out of them took most of a comparison's time and memory.

Workers of the release before leave it out, so it is read from their reports as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("results", sa.Column("words", sa.Integer))
    op.add_column("results", sa.Column("cost", sa.Float))
    op.add_column("results", sa.Column("input_tokens", sa.Integer))
    op.add_column("results", sa.Column("output_tokens", sa.Integer))
    op.add_column("results", sa.Column("seconds", sa.Float))
