"""Runs that were given up, which are few."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

GIVEN_UP = sa.text("due_at IS NULL AND reason <> ''")


def upgrade() -> None:
    op.create_index("ix_outbox_given_up", "outbox", ["job_id"], postgresql_where=GIVEN_UP, sqlite_where=GIVEN_UP)
