"""What cannot be published is set aside alone, with its reason, and tried again."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE unpublished
  ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN error TEXT,
  ADD COLUMN try_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp()
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(COLUMNS)
