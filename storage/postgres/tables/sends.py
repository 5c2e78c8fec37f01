"""Sends on their way from the 2xx to the histories, and what the persist lane has in hand."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import Sequence

from storage.postgres.tables.table_parts import INSTANT, QUEUE_OPTIONS, message_columns, metadata

# The highest id given to a live send, and how many ids were given out; see `take_message_ids` in m0009.
message_ids = Sequence("message_ids", metadata=metadata)
message_numbers = Sequence("message_numbers", cycle=True, metadata=metadata)
# Which part of each instant's ids scheduled sends take: raised by a restore; see `free_scheduled_id` in m0022.
scheduled_lives = Sequence("scheduled_lives", start=0, minvalue=0, metadata=metadata)

# Sends that were accepted. A row lives from the 2xx until the message is in the histories, and is not touched before
# `ring_at` (it is scheduled, or waits after a failure). Evidence that it is poison
# (docs/decisions/0027-evidence-before-poison.md): `attempts` counts failures of this row alone, `deaths` the holders
# that died with it in hand, and `died_at_claim` is `persist_claims.done` at the moment when one died with it alone.
# Of broadcasts only: `audience`, `unresolved` and `accepted_at` (`created_at` of a scheduled one is when it is due).
accepted = Table(
    "accepted",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    *message_columns(),
    Column("app_name", Text),
    Column("audience", ARRAY(BigInteger)),
    Column("unresolved", JSONB, nullable=False, server_default="[]"),
    Column("is_scheduled", Boolean, nullable=False, server_default=text("false")),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("ring_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("error", Text),
    Column("accepted_at", INSTANT),
    Column("origin", Text),
    Column("deaths", SmallInteger, nullable=False, server_default=text("0")),
    Column("died_at_claim", BigInteger),
    Index("accepted_scheduled", "ring_at", postgresql_where=text("is_scheduled")),
    Index("accepted_broadcasts", "sent_by_app_id", "id", postgresql_where=text("is_broadcast")),
    postgresql_with=QUEUE_OPTIONS,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("caller", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    # The send as it was accepted: a replay is answered with it.
    Column("send", JSONB, nullable=False),
    PrimaryKeyConstraint("caller", "key"),
    Index("idempotency_keys_created_at", "created_at"),
)

# What the holder of the persist lane has in hand: written before it starts, emptied when all of it is published. If
# the holder dies, the next one knows which sends to examine (they are still in `accepted`) and which messages to
# publish again (docs/decisions/0010-claims-and-leases.md). `done` counts the claims that were completed. One row.
persist_claims = Table(
    "persist_claims",
    metadata,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("ids", ARRAY(BigInteger), nullable=False),
    Column("claimed_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
)

# The process that holds the persist lane, or held it last. Unlogged, so it is empty after a crash of PostgreSQL: a
# claim that was abandoned then is no evidence against the sends in it. One row.
persist_holder = Table(
    "persist_holder",
    metadata,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("holder", Text, nullable=False),
    prefixes=["UNLOGGED"],
)

# Dead letters: the whole row of `accepted` as JSON, so that a replay is the same send with its old id.
failed_sends = Table(
    "failed_sends",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", JSONB, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("failed_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
)

# Which apps are held: a lane passes over what they have under way. Kept true to `apps.is_active` and `pauses` by
# `held_apps.py`. While `is_releasing`, what was put aside comes back in order: sends up to the id `released_up_to` may be
# taken, later ones wait behind what is still aside (docs/decisions/0033-pauses.md).
held_apps = Table(
    "held_apps",
    metadata,
    Column("app_id", Integer, primary_key=True, autoincrement=False),
    Column("held_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("is_releasing", Boolean, nullable=False, server_default=text("false")),
    Column("released_up_to", BigInteger, nullable=False, server_default=text("0")),
)

# Sends of held apps that are due, put aside: the whole row of `accepted` as JSON, until the app is held no more
# (docs/decisions/0021-scheduled-sends-and-held-apps.md).
held_sends = Table(
    "held_sends",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("app_id", Integer, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("held_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("is_broadcast", Boolean, nullable=False, server_default=text("false")),
    Index("held_sends_app_id_id", "app_id", "id"),
    Index("held_sends_broadcasts", "app_id", "id", postgresql_where=text("is_broadcast")),
)
