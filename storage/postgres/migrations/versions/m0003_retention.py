"""Retention's progress, and what the nightly recount found."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE retention_progress (
    month TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    peer_id BIGINT NOT NULL,
    CONSTRAINT retention_progress_pkey PRIMARY KEY (month)
);

CREATE TABLE recounts (
    night SMALLINT NOT NULL,
    drifted INTEGER NOT NULL,
    counted_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT recounts_pkey PRIMARY KEY (night)
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
