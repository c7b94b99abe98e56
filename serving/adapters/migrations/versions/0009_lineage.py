"""What answered for a version when it was evaluated, whether that has changed, and where its prompts are."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("served_versions", sa.Column("prompts", sa.Text, nullable=False, server_default="{}"))
    op.add_column("served_versions", sa.Column("model", sa.Text, nullable=False, server_default=""))
    op.add_column("evidence", sa.Column("evaluation", sa.String(64), nullable=False, server_default=""))
    op.add_column("evidence", sa.Column("answered_by", sa.Text, nullable=False, server_default="[]"))
    op.add_column("evidence", sa.Column("noted", sa.Text, nullable=False, server_default="[]"))
    op.add_column("evidence", sa.Column("expired_at", sa.DateTime(timezone=True)))
    op.add_column("evidence", sa.Column("expired_reason", sa.Text, nullable=False, server_default=""))
