"""What keeps a deployment running: periodic jobs, uploads, and the operators' console."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, func
from sqlalchemy.schema import Identity

from storage.postgres.tables.table_parts import INSTANT, metadata

# When each periodic job was begun last: because beat asked for it (`on_time_at`), and by anybody (`taken_at`).
# Unlogged: only the last seconds matter.
turns = Table(
    "turns",
    metadata,
    Column("name", Text, primary_key=True),
    Column("on_time_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("taken_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    prefixes=["UNLOGGED"],
)

media_objects = Table(
    "media_objects",
    metadata,
    Column("key", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=func.now()),
)

# Operators who are signed in to the console. Only a digest of the session's id is kept.
console_sessions = Table(
    "console_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("ends_at", INSTANT, nullable=False),
)

# Attempts to sign in to the console within the last minutes; the number of rows is bounded (`SignInLimits`).
console_sign_ins = Table(
    "console_sign_ins",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("address", Text, nullable=False),
    Column("tried_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Index("console_sign_ins_tried_at", "tried_at"),
)
