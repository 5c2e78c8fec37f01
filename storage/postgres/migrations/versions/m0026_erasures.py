"""Persons whose data is erased, and how far each erasure is."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE erasures (
    user_id BIGINT NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    requested_by TEXT NOT NULL,
    step TEXT DEFAULT 'keys' NOT NULL,
    next_id BIGINT DEFAULT 0 NOT NULL,
    deliveries BIGINT DEFAULT 0 NOT NULL,
    sends BIGINT DEFAULT 0 NOT NULL,
    messages BIGINT DEFAULT 0 NOT NULL,
    media BIGINT DEFAULT 0 NOT NULL,
    error TEXT,
    try_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT erasures_pkey PRIMARY KEY (user_id)
);

CREATE INDEX erasures_open ON erasures (try_at) WHERE finished_at IS NULL;

ALTER TABLE media_objects ADD COLUMN kept_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX media_objects_owner ON media_objects (owner);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
