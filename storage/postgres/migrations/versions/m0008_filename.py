"""The name that a message's file has on its sender's machine (contract §4)."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = (
    "ALTER TABLE accepted ADD COLUMN filename TEXT",
    "ALTER TABLE messages ADD COLUMN filename TEXT",
)


def upgrade() -> None:
    for statement in COLUMNS:
        op.get_bind().exec_driver_sql(statement)
