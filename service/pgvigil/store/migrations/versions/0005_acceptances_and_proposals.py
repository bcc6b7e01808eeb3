"""What people accepted, what was proposed to them and what they said of it, and what subjects are made of."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "acceptances",
        sa.Column("target", sa.String, primary_key=True),
        sa.Column("check", sa.String, primary_key=True),
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("accepted", sa.Text, nullable=False),
        sa.Column("accepted_digest", sa.String, nullable=False),
        sa.Column("accepted_at", moment, nullable=False),
        sa.Column("accepted_by", sa.Text),
        sa.Column("seen", sa.Text),
        sa.Column("seen_digest", sa.String, nullable=False),
        sa.Column("seen_at", moment, nullable=False),
    )
    op.create_table(
        "proposals",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("proposed_at", moment, nullable=False),
        sa.Column("decision", sa.String),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", moment),
        sa.Column("why", sa.Text),
    )
    op.add_column("subjects", sa.Column("lineage", sa.Text, nullable=False, server_default=""))
