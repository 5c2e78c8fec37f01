"""When what has to happen by the clock was done last, so that others see when it is late."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Unlogged: it is about the last seconds, and written every second.
TABLE = """
CREATE UNLOGGED TABLE turns (
    name TEXT NOT NULL,
    on_time_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT turns_pkey PRIMARY KEY (name)
)
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLE)
