"""Who holds the persist lane: tells a worker that died from a PostgreSQL that did."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Unlogged on purpose: it is empty after a crash of PostgreSQL.
TABLE = """
CREATE UNLOGGED TABLE persist_holder (
    lane SMALLINT NOT NULL,
    holder TEXT NOT NULL,
    CONSTRAINT persist_holder_pkey PRIMARY KEY (lane)
)
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLE)
