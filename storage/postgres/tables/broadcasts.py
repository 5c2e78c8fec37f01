"""Broadcasts and the chunks that they are expanded in."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from storage.postgres.tables.table_parts import INSTANT, metadata

# `status` is a `BroadcastStatus`. The audience is who was active at `accepted_at`. It is planned in slices: the last
# one ended with the user id `planned_up_to`, and all of it is planned when `planned_at` is set.
broadcasts = Table(
    "broadcasts",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("app_id", Integer, nullable=False),
    Column("status", Text, nullable=False, server_default="PENDING"),
    Column("total", Integer, nullable=False, server_default=text("0")),
    Column("audience", ARRAY(BigInteger)),
    Column("unresolved", JSONB, nullable=False, server_default="[]"),
    Column("created_at", INSTANT, nullable=False),
    Column("accepted_at", INSTANT, nullable=False),
    Column("planned_up_to", BigInteger, nullable=False, server_default=text("0")),
    Column("planned_at", INSTANT),
    # How often planning failed in a row, with which error, and when it is tried again.
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("rest_until", INSTANT),
    Column("started_at", INSTANT),
    Column("finished_at", INSTANT),
    Column("read_count", Integer, nullable=False, server_default=text("0")),
    Column("read_counted_at", INSTANT),
    Column("origin", Text),
    # The version that its card has, and the one that everybody who has it was told (contract §8).
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("told_version", Integer, nullable=False, server_default=text("1")),
    Index("broadcasts_changed", "id", postgresql_where=text("version > told_version")),
    Index("broadcasts_app_id_accepted_at", "app_id", "accepted_at", "id"),
    Index("broadcasts_accepted_at", "accepted_at", "id"),
    Index("broadcasts_pending", "app_id", "id", postgresql_where=text("status = 'PENDING'")),
    Index(
        "broadcasts_unfinished",
        "id",
        postgresql_where=text("status IN ('PENDING', 'EXPANDING', 'RECALLING')"),
    ),
)

# `state` is a `ChunkState`: waiting → expanded (its deliveries are in the histories) → published; or waiting →
# cancelled. By a recall: → taken_back (its deliveries are gone) → recalled (that is published too). A chunk that
# fails keeps its state, has an `error`, and is tried again after `lease_until`; "failed" was written by versions
# before 0.1.0. `user_ids` are the people themselves, so exactly those are inserted who were counted
# (docs/decisions/0008-arrays-not-ranges.md).
broadcast_chunks = Table(
    "broadcast_chunks",
    metadata,
    Column("broadcast_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("app_id", Integer, nullable=False),
    Column("user_ids", ARRAY(BigInteger), nullable=False),  # stored uncompressed: see m0002
    Column("first_user_id", BigInteger, nullable=False),
    Column("last_user_id", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("lease_until", INSTANT),
    Column("error", Text),
    # The version of the card that its people were told.
    Column("told_version", Integer, nullable=False, server_default=text("1")),
    PrimaryKeyConstraint("broadcast_id", "number"),
    CheckConstraint(
        "state IN ('waiting', 'expanded', 'published', 'failed', 'cancelled', 'taken_back', 'recalled')",
        name="state",
    ),
    Index(
        "broadcast_chunks_waiting",
        "app_id",
        "broadcast_id",
        "number",
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "broadcast_chunks_open",
        "app_id",
        "broadcast_id",
        "number",
        postgresql_where=text("state IN ('waiting', 'expanded')"),
    ),
    Index("broadcast_chunks_failing", "broadcast_id", postgresql_where=text("error IS NOT NULL")),
)
