"""A secret of an app may have an end: the old one stops at a time that was said when the new one was made."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE app_secrets ADD COLUMN ends_at TIMESTAMPTZ")
