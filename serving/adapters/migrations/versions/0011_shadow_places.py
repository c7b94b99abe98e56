"""Where what only one of two versions found stands in its article."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("shadow_results", sa.Column("places", sa.Text, nullable=False, server_default=""))
