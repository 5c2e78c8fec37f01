"""What a sender's client calls its send (contract §2, Fields)."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COLUMNS = (
    "ALTER TABLE accepted ADD COLUMN client_ref TEXT",
    "ALTER TABLE messages ADD COLUMN client_ref TEXT",
)


def upgrade() -> None:
    for statement in COLUMNS:
        op.get_bind().exec_driver_sql(statement)
