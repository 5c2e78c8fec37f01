"""A broadcast whose plan fails rests, alone, for pauses that grow."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE broadcasts
  ADD COLUMN attempts SMALLINT DEFAULT 0 NOT NULL,
  ADD COLUMN error TEXT,
  ADD COLUMN rest_until TIMESTAMP WITH TIME ZONE
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(COLUMNS)
