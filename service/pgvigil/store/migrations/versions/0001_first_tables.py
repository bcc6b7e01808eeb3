"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
moment = sa.DateTime(timezone=True)
live = sa.text("state <> 'resolved'")


def upgrade() -> None:
    """Create them."""
    _create_statuses()
    _create_runs()
    _create_incidents()


def _create_statuses() -> None:
    op.create_table(
        "targets",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("up", sa.Boolean, nullable=False),
        sa.Column("observed_at", moment, nullable=False),
        sa.Column("last_seen_at", moment),
        sa.Column("server_version", sa.Text),
        sa.Column("error", sa.Text),
    )
    op.create_table(
        "checks",
        sa.Column("target", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("interval_seconds", sa.Float),
        sa.Column("discovered_at", moment),
    )
    op.create_table(
        "subjects",
        sa.Column("id", number, primary_key=True),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("check", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("last_run", number),
        sa.Column("outcome", sa.String),
        sa.Column("error", sa.Text),
        sa.Column("started_at", moment),
        sa.Column("finished_at", moment),
        sa.Column("completed_at", moment),
        sa.Column("completed_outcome", sa.String),
        sa.Column("violations", sa.Text, nullable=False),
        sa.Column("measures", sa.Text, nullable=False),
        sa.UniqueConstraint("target", "check", "digest", name="subjects_name"),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", number, primary_key=True),
        sa.Column("subject_id", number, sa.ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("finished_at", moment, nullable=False),
        sa.Column("duration_seconds", sa.Float, nullable=False),
        sa.Column("rows_examined", sa.BigInteger, nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("confirm", sa.Integer, nullable=False),
        sa.Column("findings", sa.Text, nullable=False),
        sa.Column("measures", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("runs_by_subject", "runs", ["subject_id", "id"])
    op.create_index("runs_by_age", "runs", ["finished_at"])


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("check", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("resolution", sa.String),
        sa.Column("first_seen", moment, nullable=False),
        sa.Column("last_seen", moment, nullable=False),
        sa.Column("opened_at", moment),
        sa.Column("resolved_at", moment),
        sa.Column("worst_count", sa.BigInteger, nullable=False),
        sa.Column("sightings", sa.BigInteger, nullable=False),
        sa.Column("consecutive", sa.BigInteger, nullable=False),
        sa.Column("unexamined_since", moment),
        sa.Column("unexamined_reason", sa.Text),
        *_mark("acknowledged"),
        *_mark("muted"),
        sa.Column("finding", sa.Text, nullable=False),
    )
    op.create_index("incidents_by_check", "incidents", ["target", "check", "state"])
    op.create_index("incidents_by_age", "incidents", ["state", "first_seen"])
    op.create_index(
        "incidents_live",
        "incidents",
        ["target", "fingerprint"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_table(
        "events",
        sa.Column("id", number, primary_key=True),
        sa.Column("incident", sa.String, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("who", sa.Text),
    )
    op.create_index("events_by_incident", "events", ["incident", "id"])


def _mark(name: str) -> list[sa.Column[object]]:
    return [
        sa.Column(f"{name}_by", sa.Text),
        sa.Column(f"{name}_at", moment),
        sa.Column(f"{name}_until", moment),
        sa.Column(f"{name}_why", sa.Text),
    ]
