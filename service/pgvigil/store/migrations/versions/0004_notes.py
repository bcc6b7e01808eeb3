"""What the runs of a subject leave for the next one, and why a run was made the way it was."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table and add the column."""
    op.create_table(
        "notes",
        sa.Column(
            "subject_id",
            number,
            sa.ForeignKey("subjects.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("memory", sa.Text, nullable=False),
        sa.Column("position", sa.Text),
        sa.Column("examined_at", moment),
        sa.Column("resumed", sa.Text),
        sa.Column("done", sa.Float),
        sa.Column("saved_at", moment),
    )
    op.add_column("runs", sa.Column("explain", sa.Text, nullable=False, server_default=""))
