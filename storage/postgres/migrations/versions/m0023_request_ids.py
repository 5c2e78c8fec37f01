"""A message keeps the id of the request that it was sent with, so that operators find it by that."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE messages ADD COLUMN request_id TEXT")
