"""What MLflow's webhooks have told of, for all workers."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "registry_hints",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("delivery", sa.String(64), nullable=False, unique=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
