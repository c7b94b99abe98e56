"""The tables of what editors say of findings. They outlive the jobs: no article's text is in them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from serving.adapters.tables import UtcDateTime, metadata

EntryId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only rows with an INTEGER key

feedback = Table(
    "feedback",  # rows are only added
    metadata,
    Column("id", EntryId, primary_key=True, autoincrement=True),
    Column("user_id", String(200), nullable=False),
    Column("document", String(520), nullable=False),  # id:DOCUMENT or article:BLOB
    Column("fingerprint", String(16), nullable=False),
    Column("guideline_id", String(64), nullable=False),
    Column("action", String(20), nullable=False),
    Column("reason", String(40)),  # of a dismissal
    Column("comment", Text, nullable=False),  # emptied when its job is purged
    Column("job_id", String(32), nullable=False),  # which may be gone
    Column("version", String(20), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_feedback_finding", "user_id", "document", "fingerprint", "id"),  # what stands, of a document
    Index("ix_feedback_job", "job_id"),
    Index("ix_feedback_at", "at"),
)

feedback_approvals = Table(
    "feedback_approvals",  # of dismissals that need one
    metadata,
    Column("feedback_id", EntryId, ForeignKey("feedback.id", ondelete="CASCADE"), primary_key=True),
    Column("status", String(20), nullable=False),
    Column("user_id", String(200), nullable=False),  # who said so; empty while it is pending
    Column("at", UtcDateTime),
    Column("comment", Text, nullable=False),
)
Index(
    "ix_feedback_approvals_pending",
    feedback_approvals.c.feedback_id,
    postgresql_where=text("status = 'pending'"),
    sqlite_where=text("status = 'pending'"),
)

feedback_outbox = Table(
    "feedback_outbox",  # jobs whose decisions MLflow is to be told of
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime),  # null: told, or given up where there is a reason
    Column("reason", Text, nullable=False),  # of the last failure, or why it was given up
    Index("ix_feedback_outbox_due", "due_at"),
)
