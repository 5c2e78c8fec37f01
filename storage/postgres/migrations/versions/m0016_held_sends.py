"""Scheduled sends of disabled apps that are due wait beside the intake."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE held_sends (
    id BIGINT NOT NULL,
    app_id INTEGER NOT NULL,
    payload JSONB NOT NULL,
    held_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT held_sends_pkey PRIMARY KEY (id)
);

CREATE INDEX held_sends_app_id_id ON held_sends (app_id, id);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLE)
