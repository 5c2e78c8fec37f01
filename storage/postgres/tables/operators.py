"""Operators, their sessions at the console, and what they did."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import Identity

from storage.postgres.tables.table_parts import INSTANT, metadata

# They are disabled and never deleted: the audit names them, and nobody may come under the name of another.
operators = Table(
    "operators",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("disabled_at", INSTANT),
    CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="operators_role_check"),
)

# What operators did. Rows are added and never changed; a trigger refuses it, and the application's role has no right to
# (docs/decisions/0032-named-operators.md). Only `drop_old_audit` takes old ones away.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("who", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("request_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    Index("audit_at", "at"),
    # Of one operator, act or target, newest first.
    Index("audit_who", "who", "id"),
    Index("audit_act", "act", "id"),
    Index("audit_target", "target", "id"),
)

# Operators who are signed in to the console. Only a digest of the session's id is kept. No operator: somebody who
# signed in with the token.
console_sessions = Table(
    "console_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("ends_at", INSTANT, nullable=False),
    Column("operator", Text),
)

# Attempts to sign in to the console within the last minutes; the number of rows is bounded (`SignInLimits`).
console_sign_ins = Table(
    "console_sign_ins",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("address", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("tried_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Index("console_sign_ins_tried_at", "tried_at"),
)
