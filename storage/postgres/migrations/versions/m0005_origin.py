"""Which request a send came with, so that it can be followed through every process."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = (
    "ALTER TABLE accepted ADD COLUMN origin TEXT",
    "ALTER TABLE broadcasts ADD COLUMN origin TEXT",
)


def upgrade() -> None:
    for statement in COLUMNS:
        op.get_bind().exec_driver_sql(statement)
