"""Deployments, what each Alertmanager was told, and what tells whether everything was examined."""

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables and add the columns."""
    op.create_table(
        "addresses",
        sa.Column("target", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False),
    )
    op.add_column("checks", sa.Column("swept_at", moment))
    op.add_column("subjects", sa.Column("incomplete", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "deployments",
        sa.Column("id", number, primary_key=True),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("marked_by", sa.Text, nullable=False),
        sa.UniqueConstraint("target", "at", "version", name="deployments_once"),
    )
    op.create_table(
        "deliveries",
        sa.Column("alertmanager", sa.String, primary_key=True),
        sa.Column("incident", sa.String, sa.ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
    )
    op.create_index("deliveries_by_incident", "deliveries", ["incident"])
    by_people = sa.text("who IS NOT NULL")
    op.create_index("events_of_people", "events", ["id"], sqlite_where=by_people, postgresql_where=by_people)
    op.add_column("incidents", sa.Column("digest", sa.String, nullable=False, server_default=""))
    _fill_digests()
    op.create_index("incidents_by_subject", "incidents", ["target", "check", "digest"])


def _fill_digests() -> None:
    incidents = sa.table("incidents", sa.column("id"), sa.column("subject"), sa.column("digest"))
    filled = [
        {"key": key, "digest": sha256(subject.encode()).hexdigest()[:32]}
        for key, subject in op.get_bind().execute(sa.select(incidents.c.id, incidents.c.subject))
    ]
    if filled:
        update = sa.update(incidents).where(incidents.c.id == sa.bindparam("key"))
        op.get_bind().execute(update, filled)
