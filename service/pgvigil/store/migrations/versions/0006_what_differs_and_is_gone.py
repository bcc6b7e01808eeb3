"""Whether what was seen differs from what is accepted, what is gone, and what proposals are about."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was written otherwise differs until the next run says what it means."""
    op.add_column("acceptances", sa.Column("differs", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("acceptances", sa.Column("gone", sa.Text))
    op.add_column("proposals", sa.Column("traces", sa.Text))
    op.execute("UPDATE acceptances SET differs = (seen_digest <> accepted_digest)")
