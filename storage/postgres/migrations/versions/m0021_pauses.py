"""What operators paused, and which apps are held: disabled, paused, or with something still to be released."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE pauses (
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    paused_by TEXT NOT NULL,
    paused_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pauses_pkey PRIMARY KEY (kind, target),
    CONSTRAINT pauses_kind CHECK (kind IN ('queue', 'app'))
);

CREATE TABLE held_apps (
    app_id INTEGER NOT NULL,
    held_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    is_releasing BOOLEAN DEFAULT false NOT NULL,
    released_up_to BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT held_apps_pkey PRIMARY KEY (app_id)
);

INSERT INTO held_apps (app_id) SELECT id FROM apps WHERE NOT is_active;

ALTER TABLE held_sends ADD COLUMN is_broadcast BOOLEAN DEFAULT false NOT NULL;
CREATE INDEX held_sends_broadcasts ON held_sends (app_id, id) WHERE is_broadcast;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
