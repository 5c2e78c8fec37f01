"""An app may have to sign its whole requests, and its calls may be bound to networks."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        "ALTER TABLE apps ADD COLUMN signature_version SMALLINT NOT NULL DEFAULT 1, "
        "ADD COLUMN allowed_networks TEXT[] NOT NULL DEFAULT '{}'"
    )
