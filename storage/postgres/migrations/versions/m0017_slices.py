"""Upkeep in slices: where the recount stands, and how far the letting go of a month is."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# A month that was being let go starts again: each step may be repeated.
COLUMNS = """
ALTER TABLE recounts ADD COLUMN next_block BIGINT;

DELETE FROM retention_progress;
ALTER TABLE retention_progress ADD COLUMN step TEXT DEFAULT 'settle' NOT NULL;
ALTER TABLE retention_progress ADD COLUMN high BIGINT NOT NULL;
ALTER TABLE retention_progress ADD COLUMN next_block BIGINT DEFAULT 0 NOT NULL;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(COLUMNS)
