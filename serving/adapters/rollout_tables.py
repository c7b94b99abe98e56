"""The tables of challengers: rollouts, and shadows with what they found."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from serving.adapters.tables import UtcDateTime, metadata

rollouts = Table(
    "rollouts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("active", Boolean, unique=True),  # true or null, so there is one at a time
    Column("challenger", String(20), nullable=False),
    Column("champion", String(20), nullable=False),
    Column("policy", Text, nullable=False),  # a RolloutPolicy as JSON
    Column("signed", Text, nullable=False),  # a Signed as JSON
    Column("user_id", String(200), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("staged_at", UtcDateTime, nullable=False),
    Column("stage", Integer, nullable=False),  # from 0
    Column("looks", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("revision", Integer, nullable=False),
)

shadows = Table(
    "shadows",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("active", Boolean, unique=True),  # as above
    Column("version", String(20), nullable=False),
    Column("champion", String(20), nullable=False),
    Column("share", Float, nullable=False),
    Column("checks_a_day", Integer),
    Column("budget", Float),
    Column("user_id", String(200), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("reason", Text, nullable=False),
)

shadow_checks = Table(
    "shadow_checks",  # one row a document that was sampled
    metadata,
    Column("shadow_id", ForeignKey("shadows.id", ondelete="CASCADE"), primary_key=True),
    Column("unit", String(500), primary_key=True),
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("offered_at", UtcDateTime, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("cost", Float, nullable=False),
    Column("begun_at", UtcDateTime),  # the last attempt
    Column("ended_at", UtcDateTime),
    Index("ix_shadow_checks_job", "job_id"),
)

shadow_results = Table(
    "shadow_results",  # one row a guideline of an article
    metadata,
    Column("shadow_id", ForeignKey("shadows.id", ondelete="CASCADE"), primary_key=True),
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("guideline_id", String(64), primary_key=True),
    Column("both", Integer, nullable=False),  # findings of both versions
    Column("only_champion", Text, nullable=False),  # fingerprints, by commas
    Column("only_challenger", Text, nullable=False),
    Column("places", Text, nullable=False, server_default=""),  # JSON: of both, in that order [start, end, paragraph]
    Index("ix_shadow_results_job", "job_id"),
)
