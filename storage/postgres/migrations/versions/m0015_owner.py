"""What upkeep does to the schema, as functions that run as its owner: processes need not own it (storage/postgres/roles.py)."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Only months of ours, and only whole ones: a caller may name nothing else. DROP TABLE waits no longer than the
# caller's lock_timeout.
DROP_MESSAGE_MONTH = """
CREATE FUNCTION drop_message_month(suffix text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF suffix !~ '^_y[0-9]{4}m[0-9]{2}$' THEN
    RAISE EXCEPTION '%% is no month', suffix USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format('DROP TABLE %%I, %%I', 'deliveries' || suffix, 'messages' || suffix);
END
$$
"""
FUNCTIONS = ("drop_message_month(text)", "add_message_months(int)")
# Not the caller's search_path: it could lead to tables of its own.
TIED = """
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION {function} SECURITY DEFINER SET search_path = %%I, pg_temp',
                 current_schema());
  EXECUTE 'REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC';
END $$
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(DROP_MESSAGE_MONTH)
    for function in FUNCTIONS:
        connection.exec_driver_sql(TIED.replace("{function}", function))
