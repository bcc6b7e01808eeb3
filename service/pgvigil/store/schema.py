"""The tables of the store, as the newest migration leaves them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)

from pgvigil.store.columns import Json, Line, Timestamp

REVISION = "0006"
"""The newest migration. Compared at every start, so that Alembic is only loaded when there is work for it."""


def equals(column: Column[str], value: str) -> ColumnElement[bool]:
    """Compare what somebody asks for; text that no database can hold equals nothing, and is no error."""
    return column == value if _storable(value) else false()


def among(column: Column[str], values: Collection[str]) -> ColumnElement[bool]:
    """Compare with each of the values somebody asks for."""
    return column.in_([value for value in values if _storable(value)])


def _storable(value: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)


Row: TypeAlias = dict[str, Any]
"""What is inserted or updated, by column name."""

# SQLite numbers rows itself only when the type is spelled INTEGER.
_Number = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

targets = Table(
    "targets",
    metadata,
    Column("name", String, primary_key=True),
    Column("up", Boolean, nullable=False),
    Column("observed_at", Timestamp, nullable=False),
    Column("last_seen_at", Timestamp),
    Column("server_version", Line),
    Column("error", Line),
)

checks = Table(
    "checks",
    metadata,
    Column("target", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("interval_seconds", Float),
    Column("discovered_at", Timestamp),
    # When the last sweep began that came to its end.
    Column("swept_at", Timestamp),
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("target", String, nullable=False),
    Column("check", String, nullable=False),
    Column("name", String, nullable=False),
    # Stands for the name in the index: a key of many long columns is longer than PostgreSQL indexes.
    Column("digest", String, nullable=False),
    Column("state", String, nullable=False),
    Column("last_run", _Number),
    Column("outcome", String),
    Column("error", Line),
    Column("started_at", Timestamp),
    Column("finished_at", Timestamp),
    Column("completed_at", Timestamp),
    Column("completed_outcome", String),
    Column("violations", Json, nullable=False),
    Column("measures", Json, nullable=False),
    Column("incomplete", BigInteger, nullable=False, server_default="0"),
    # What of the target's catalog it is about, as catalog/lineage.py writes it.
    Column("lineage", Line, nullable=False, server_default=""),
    UniqueConstraint("target", "check", "digest", name="subjects_name"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("subject_id", _Number, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("outcome", String, nullable=False),
    Column("started_at", Timestamp, nullable=False),
    Column("finished_at", Timestamp, nullable=False),
    Column("duration_seconds", Float, nullable=False),
    Column("rows_examined", BigInteger, nullable=False),
    Column("strategy", Line, nullable=False),
    Column("error", Line),
    Column("confirm", Integer, nullable=False),
    Column("findings", Json, nullable=False),
    Column("measures", Json, nullable=False),
    Column("explain", Line, nullable=False, server_default=""),
    Index("runs_by_subject", "subject_id", "id"),
    Index("runs_by_age", "finished_at"),
    # A number is never given twice, not even after its run was pruned.
    sqlite_autoincrement=True,
)

# What the runs of a subject leave for the next one; it goes with the subject.
notes = Table(
    "notes",
    metadata,
    Column(
        "subject_id",
        _Number,
        ForeignKey("subjects.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("memory", Json, nullable=False),
    # Where the target was before the last run, when that run completed.
    Column("position", Line),
    # When the last completed run began: what was confirmed since without one is not examined.
    Column("examined_at", Timestamp),
    Column("resumed", Json),
    Column("done", Float),
    Column("saved_at", Timestamp),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String, primary_key=True),
    Column("target", String, nullable=False),
    Column("check", String, nullable=False),
    Column("subject", String, nullable=False),
    # Stands for the subject in the index, as in `subjects`.
    Column("digest", String, nullable=False, server_default=""),
    Column("fingerprint", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("state", String, nullable=False),
    Column("resolution", String),
    Column("first_seen", Timestamp, nullable=False),
    Column("last_seen", Timestamp, nullable=False),
    Column("opened_at", Timestamp),
    Column("resolved_at", Timestamp),
    Column("worst_count", BigInteger, nullable=False),
    Column("sightings", BigInteger, nullable=False),
    Column("consecutive", BigInteger, nullable=False),
    Column("unexamined_since", Timestamp),
    Column("unexamined_reason", Line),
    Column("acknowledged_by", Line),
    Column("acknowledged_at", Timestamp),
    Column("acknowledged_until", Timestamp),
    Column("acknowledged_why", Line),
    Column("muted_by", Line),
    Column("muted_at", Timestamp),
    Column("muted_until", Timestamp),
    Column("muted_why", Line),
    Column("finding", Json, nullable=False),
    Index("incidents_by_check", "target", "check", "state"),
    Index("incidents_by_subject", "target", "check", "digest"),
    Index("incidents_by_age", "state", "first_seen"),
    # The database itself refuses a second live incident of one fault.
    Index(
        "incidents_live",
        "target",
        "fingerprint",
        unique=True,
        sqlite_where=text("state <> 'resolved'"),
        postgresql_where=text("state <> 'resolved'"),
    ),
)

events = Table(
    "events",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("incident", String, ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String, nullable=False),
    Column("at", Timestamp, nullable=False),
    Column("text", Line, nullable=False),
    Column("who", Line),
    Index("events_by_incident", "incident", "id"),
    # What people said last, for a leader that has not heard it itself.
    Index(
        "events_of_people",
        "id",
        sqlite_where=text("who IS NOT NULL"),
        postgresql_where=text("who IS NOT NULL"),
    ),
)

# What somebody said was deployed to a target, and when; told twice, it is still one.
deployments = Table(
    "deployments",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("target", String, nullable=False),
    Column("version", Line, nullable=False),
    Column("at", Timestamp, nullable=False),
    Column("marked_by", Line, nullable=False),
    UniqueConstraint("target", "at", "version", name="deployments_once"),
)

# All sets of labels under which an Alertmanager may hold an incident as firing: written before it is told,
# deleted when it has heard of the end. The incidents are the outbox: what differs from this is to be sent.
deliveries = Table(
    "deliveries",
    metadata,
    Column("alertmanager", String, primary_key=True),
    Column("incident", String, ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    Column("labels", Json, nullable=False),
    Column("at", Timestamp, nullable=False),
    Index("deliveries_by_incident", "incident"),
)

# What is accepted as right of a subject: by a person, or, with nobody's name, as the first look saw it.
# `seen` is what differs from that, as the last completed run saw it.
acceptances = Table(
    "acceptances",
    metadata,
    Column("target", String, primary_key=True),
    Column("check", String, primary_key=True),
    # Stands for the subject, as in `subjects`.
    Column("digest", String, primary_key=True),
    Column("subject", Line, nullable=False),
    Column("accepted", Json, nullable=False),
    Column("accepted_digest", String, nullable=False),
    Column("accepted_at", Timestamp, nullable=False),
    Column("accepted_by", Line),
    Column("seen", Json),
    Column("seen_digest", String, nullable=False),
    Column("seen_at", Timestamp, nullable=False),
    # Whether the last completed run found a fault: what it saw may be written otherwise, and mean the same.
    Column("differs", Boolean, nullable=False, server_default=false()),
    # The subjects whose end that run told.
    Column("gone", Json),
)

# What is proposed to people, and what they said: what was rejected stays, so that it is never proposed again.
proposals = Table(
    "proposals",
    metadata,
    Column("id", String, primary_key=True),
    Column("target", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("subject", Line, nullable=False),
    Column("state", String, nullable=False),
    Column("source", Line, nullable=False),
    Column("probability", Float, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("settings", Json, nullable=False),
    Column("proposed_at", Timestamp, nullable=False),
    # What a person said, whatever has become of it since.
    Column("decision", String),
    Column("decided_by", Line),
    Column("decided_at", Timestamp),
    Column("why", Line),
    # What it is about in the catalog, as catalog/tracing.py has it; NULL where nobody knows.
    Column("traces", Json),
)

# What stands for the address at which a target was examined: at another one it may be another database.
addresses = Table(
    "addresses",
    metadata,
    Column("target", String, primary_key=True),
    Column("digest", String, nullable=False),
)

# One row: who leads, and how often the lead has changed hands.
leadership = Table(
    "leadership",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Line, nullable=False),
    Column("since", Timestamp, nullable=False),
)
