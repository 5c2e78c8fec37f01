"""What business apps are told of their sends, and where each app's URL stands."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import Identity

from storage.postgres.tables.table_parts import INSTANT, QUEUE_OPTIONS, metadata

# One row for each app that asked for events (docs/decisions/0042-events-to-apps.md). Without `url` it only pulls. `last_seq` is
# the highest number that was given out: the holder of this row's lock gives out the next ones. The URL has answered
# 2xx up to `taken_up_to`; a pull has asked for what comes after `pulled_up_to`. Until `lease_until` a worker has the
# next events in hand.
app_callbacks = Table(
    "app_callbacks",
    metadata,
    Column("app_id", Integer, primary_key=True, autoincrement=False),
    Column("url", Text),
    Column("events", ARRAY(Text), nullable=False),
    Column("status", Text, nullable=False, server_default="ACTIVE"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_try_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("lease_until", INSTANT),
    Column("last_error", Text),
    Column("taken_up_to", BigInteger, nullable=False, server_default=text("0")),
    Column("pulled_up_to", BigInteger, nullable=False, server_default=text("0")),
    Column("last_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("reads_gathered_at", INSTANT),
    Column("created_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    CheckConstraint("status IN ('ACTIVE', 'PAUSED', 'OFF')", name="status"),
)

# The keys that calls of an app's URL are signed with, sealed; more than one while a key is being replaced.
app_callback_secrets = Table(
    "app_callback_secrets",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("app_id", Integer, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    # None: it is the newest.
    Column("ends_at", INSTANT),
)

# `number` is given before the commit, so a lower one may come later; `seq` is given out afterwards, in one place, and
# only what has one is shown to anybody.
app_events = Table(
    "app_events",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("app_id", Integer, nullable=False),
    Column("seq", BigInteger),
    Column("type", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    # Stable over all attempts to push it.
    Column("webhook_id", Uuid, nullable=False, server_default=func.gen_random_uuid()),
    Index("app_events_seq", "app_id", "seq", unique=True, postgresql_where=text("seq IS NOT NULL")),
    Index("app_events_unnumbered", "app_id", "number", postgresql_where=text("seq IS NULL")),
    Index("app_events_created_at", "created_at"),
)

# Reads that are not yet gathered into an event.
app_reads = Table(
    "app_reads",
    metadata,
    Column("app_id", Integer, nullable=False),
    Column("number", BigInteger, Identity(), nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("read_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("app_id", "number"),
    postgresql_with=QUEUE_OPTIONS,
)
