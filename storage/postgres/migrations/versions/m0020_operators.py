"""Named operators, their sessions, and an audit that is only ever added to."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE operators (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CONSTRAINT operators_role_check CHECK (role IN ('viewer', 'operator', 'admin')),
    password_hash TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    disabled_at TIMESTAMPTZ
)
""",
    """
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    act TEXT NOT NULL,
    target TEXT NOT NULL,
    before JSONB,
    after JSONB,
    request_id TEXT NOT NULL,
    address TEXT NOT NULL
)
""",
    "CREATE INDEX audit_at ON audit (at)",
    "CREATE INDEX audit_who ON audit (who, id)",
    "CREATE INDEX audit_act ON audit (act, id)",
    "CREATE INDEX audit_target ON audit (target, id)",
    # Sessions of the version before are the token's.
    "ALTER TABLE console_sessions ADD COLUMN operator TEXT",
    "ALTER TABLE console_sign_ins ADD COLUMN name TEXT NOT NULL DEFAULT ''",
)

# The owner is refused too: what is younger than thirty days stays, whatever the setting of retention says.
APPEND_ONLY = (
    """
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.at < clock_timestamp() - interval '30 days' THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit is only ever added to' USING ERRCODE = 'insufficient_privilege';
END
$$
""",
    """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()
""",
    """
CREATE TRIGGER audit_not_truncated BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
""",
    # As its owner: the application's role has no right to delete.
    """
CREATE FUNCTION drop_old_audit(kept interval, slice int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  dropped int;
BEGIN
  DELETE FROM audit WHERE id IN (
    SELECT id FROM audit WHERE at < clock_timestamp() - greatest(kept, interval '31 days')
     ORDER BY at LIMIT slice);
  GET DIAGNOSTICS dropped = ROW_COUNT;
  RETURN dropped;
END
$$
""",
    # Not the caller's search_path: it could lead to tables of its own.
    """
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION drop_old_audit(interval, int) SET search_path = %%I, pg_temp',
                 current_schema());
  REVOKE EXECUTE ON FUNCTION drop_old_audit(interval, int) FROM PUBLIC;
END $$
""",
)


def upgrade() -> None:
    for statement in (*TABLES, *APPEND_ONLY):
        op.get_bind().exec_driver_sql(statement)
