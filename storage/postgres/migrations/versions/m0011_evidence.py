"""A send is put aside for what it did, not for having waited: what speaks against it is told apart."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS = (
    """
ALTER TABLE accepted
  ADD COLUMN deaths SMALLINT NOT NULL DEFAULT 0,
  ADD COLUMN died_at_claim BIGINT
""",
    "ALTER TABLE persist_claims ADD COLUMN done BIGINT NOT NULL DEFAULT 0",
)


def upgrade() -> None:
    for statement in COLUMNS:
        op.get_bind().exec_driver_sql(statement)
