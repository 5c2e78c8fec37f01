"""Messages in the histories, each person's deliveries and counters, and events that are not on the bus yet."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import Identity

from storage.postgres.tables.table_parts import INSTANT, QUEUE_OPTIONS, message_columns, metadata

# A month of ids is a partition, of `deliveries` too; retention drops partitions
# (docs/decisions/0007-partitions-by-month.md).
messages = Table(
    "messages",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    *message_columns(),
    Column("recalled_at", INSTANT),
    # The X-Request-Id that it was sent with, for operators; NULL in older rows. No index, which every send would pay for:
    # it is looked for in slices (`trails.py`).
    Column("request_id", Text),
    postgresql_partition_by="RANGE (id)",
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("user_id", BigInteger, nullable=False),
    Column("peer_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("read_at", INSTANT),
    PrimaryKeyConstraint("user_id", "peer_id", "message_id"),
    postgresql_partition_by="RANGE (message_id)",
)

# With a low fillfactor and no further index the update of a counter stays on its page (a HOT update).
conversations = Table(
    "conversations",
    metadata,
    Column("user_id", BigInteger, nullable=False),
    Column("peer_id", BigInteger, nullable=False),
    Column("unread_count", Integer, nullable=False, server_default=text("0")),
    Column("last_message_id", BigInteger, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("user_id", "peer_id"),
    CheckConstraint("unread_count >= 0", name="unread_count"),
    postgresql_with={"fillfactor": 70},
)

# Messages that are in the histories and whose event is not on the bus; normally none. A row with an `error` is set
# aside: its event could not be made, and is tried again at `try_at`
# (docs/decisions/0022-publishing-sets-aside-alone.md).
unpublished = Table(
    "unpublished",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("try_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
)

# Events of what ingest changed (reads, recalls), as the bus carries them, until the bus has them
# (docs/decisions/0014-the-outbox.md). Written in the statement of the change, published by the holder of the persist
# lane. `attempts`, `error` and `try_at` mean the same as in `unpublished`.
outbox = Table(
    "outbox",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("event", JSONB, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("try_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    postgresql_with=QUEUE_OPTIONS,
)

# How far the removal of a month is. `step`: "settle" and "check" read the month's partition, up to `next_block`;
# "clear" comes after the partition was dropped. `user_id`, `peer_id`: the last conversation that "settle" or "clear"
# has done. `high`: the month's ids are below it.
retention_progress = Table(
    "retention_progress",
    metadata,
    Column("month", Text, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("peer_id", BigInteger, nullable=False),
    Column("step", Text, nullable=False, server_default="settle"),
    Column("high", BigInteger, nullable=False),
    Column("next_block", BigInteger, nullable=False, server_default=text("0")),
)

# Nightly recounts. `night` 0 is the last complete one of unread counters, 1 the one that runs, up to `next_block`; 2 and 3
# are the same of to-dos.
recounts = Table(
    "recounts",
    metadata,
    Column("night", SmallInteger, primary_key=True, autoincrement=False),
    Column("drifted", Integer, nullable=False),
    Column("counted_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("next_block", BigInteger),
)
