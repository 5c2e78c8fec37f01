"""An index of who is disabled: the sweep compares them with what gateways know."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INDEX = "CREATE INDEX users_disabled ON users (id) WHERE status <> 'ACTIVE' OR is_deleted"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(INDEX)
