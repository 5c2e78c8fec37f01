"""The tables, as SQLAlchemy Core metadata. `migrations/` builds them; a test holds the two together.

What is an invariant here is a constraint here: `unread_count >= 0` is checked by PostgreSQL, so a
counter that would go wrong aborts the transaction that did it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import Identity, Sequence

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "pk": "%(table_name)s_pkey",
    }
)

INSTANT = DateTime(timezone=True)

# The highest id given to a live send, and how many ids were given out; see `take_message_ids` in m0009.
message_ids = Sequence("message_ids", metadata=metadata)
message_numbers = Sequence("message_numbers", cycle=True, metadata=metadata)

users = Table(
    "users",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("mobile", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    Column("english_name", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default="ACTIVE"),
    Column("role", Text, nullable=False, server_default="ORDINARY_USER"),
    Column("is_deleted", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", INSTANT, nullable=False, server_default=func.now()),
    # Lower-case substrings of one and two characters of the three names, as numbers: a trigram index
    # cannot serve a search for one Chinese character, and on numbers GIN is built faster
    # than on text, and is smaller (docs/decisions/0024-search-by-grams.md). Filled by what writes the row.
    Column("search_grams", ARRAY(Integer), nullable=False, server_default="{}"),
    Index("users_search_grams", "search_grams", postgresql_using="gin"),
    # Everyone active, in id order and without touching the wide rows: what planning walks along.
    Index(
        "users_active",
        "id",
        postgresql_include=["created_at"],
        postgresql_where=text("status = 'ACTIVE' AND NOT is_deleted"),
    ),
    # Everyone else: what the sweep compares with what gateways know.
    Index("users_disabled", "id", postgresql_where=text("status <> 'ACTIVE' OR is_deleted")),
)

# Whoever stopped or started being active, and when: written by a trigger of `users`, so that a
# broadcast's audience is told as of its acceptance however late it is planned. Purged by upkeep.
activity_changes = Table(
    "activity_changes",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("was_active", Boolean, nullable=False),
    Column("changed_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Index("activity_changes_changed_at", "changed_at"),
)

app_categories = Table(
    "app_categories",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

apps = Table(
    "apps",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("app_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("callback_url", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("description", Text, nullable=False, server_default=""),
    Column("protocol_type", Text, nullable=False, server_default="SIMPLE_API"),
    Column("category_id", Integer),
    Column("created_at", INSTANT, nullable=False, server_default=func.now()),
)

# At most two live ones an app, so that a secret can be rotated without an outage (contract §1).
app_secrets = Table(
    "app_secrets",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("app_id", Integer, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=func.now()),
)

app_redirect_hosts = Table(
    "app_redirect_hosts",
    metadata,
    Column("app_id", Integer, nullable=False),
    Column("host", Text, nullable=False),
    PrimaryKeyConstraint("app_id", "host"),
)

mappings = Table(
    "mappings",
    metadata,
    Column("app_id", Integer, nullable=False),
    Column("app_user_id", Text, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("email", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("app_id", "app_user_id"),
    Index("mappings_user_id_app_id", "user_id", "app_id"),
)


def _message_columns() -> list[Column[object]]:
    """What a message is made of, in `accepted` and in `messages` alike."""
    return [
        Column("sender_id", BigInteger),
        Column("receiver_id", BigInteger),
        Column("app_id", Integer),
        Column("sent_by_app_id", Integer),
        Column("type", Text, nullable=False),
        Column("content_type", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("content", Text, nullable=False),
        Column("action_url", Text),
        Column("action_text", Text),
        Column("filename", Text),
        Column("is_broadcast", Boolean, nullable=False, server_default=text("false")),
        Column("created_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    ]


# The intake. A row lives from the 2xx until it is in the histories; it is not touched before `ring_at`
# (scheduled, or resting after a failure). `attempts` is what speaks against it, `deaths` how often it was in
# hand when a holder could not finish, `died_at_claim` how many claims were done (`persist_claims`) when one died with it alone. `audience`, `unresolved` and `accepted_at` are a broadcast's
# (`created_at` of a scheduled one is when it is due). A queue table:
# vacuumed by count, not by share.
accepted = Table(
    "accepted",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    *_message_columns(),
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
    postgresql_with={
        "autovacuum_vacuum_scale_factor": 0,
        "autovacuum_vacuum_threshold": 5000,
        "autovacuum_analyze_scale_factor": 0,
        "autovacuum_analyze_threshold": 5000,
    },
)

# What the holder of the persist lane has in hand, written before it starts and emptied when it is
# published: if the holder dies, the next one judges what is still in `accepted`, and publishes the
# rest (again). `done` counts the claims that came to their end. One row.
persist_claims = Table(
    "persist_claims",
    metadata,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("ids", ARRAY(BigInteger), nullable=False),
    Column("claimed_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
)

# The process that holds the lane, or held it last. Unlogged, so empty after a crash of PostgreSQL: then
# an abandoned claim says nothing against the worker, nor against what it had in hand. One row.
persist_holder = Table(
    "persist_holder",
    metadata,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("holder", Text, nullable=False),
    prefixes=["UNLOGGED"],
)

# When what has to happen by the clock was done last: because beat asked for it, and by anyone. Unlogged: it
# is about the last seconds.
turns = Table(
    "turns",
    metadata,
    Column("name", Text, primary_key=True),
    Column("on_time_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("taken_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    prefixes=["UNLOGGED"],
)

# Messages that are in the histories and whose event the bus has not taken. Empty but for troubles. With an
# error: the event cannot be made, it is set aside and tried again at `try_at`.
unpublished = Table(
    "unpublished",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("try_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
)

# Events of what ingest changed (reads, recalls), as the bus carries them, until the bus has them: written in the
# statement of the change, published by the holder of the persist lane. `error`: as in `unpublished`.
outbox = Table(
    "outbox",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("event", JSONB, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("try_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    postgresql_with={
        "autovacuum_vacuum_scale_factor": 0,
        "autovacuum_vacuum_threshold": 5000,
        "autovacuum_analyze_scale_factor": 0,
        "autovacuum_analyze_threshold": 5000,
    },
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("caller", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    # The accepted send as it was, for the first answer given again.
    Column("send", JSONB, nullable=False),
    PrimaryKeyConstraint("caller", "key"),
    Index("idempotency_keys_created_at", "created_at"),
)

# A month of ids is a partition; dropping one is retention. The same ranges for deliveries.
messages = Table(
    "messages",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    *_message_columns(),
    Column("recalled_at", INSTANT),
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

# fillfactor 70 and no further index: a counter's update stays on its page (HOT).
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

# `status` is a BroadcastStatus. The audience is that of `accepted_at`; it is planned in slices, of
# which the last one ended with `planned_up_to`, and complete at `planned_at`.
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
    # How often planning failed in a row, with what, and until when it is left alone.
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("rest_until", INSTANT),
    Column("started_at", INSTANT),
    Column("finished_at", INSTANT),
    Column("read_count", Integer, nullable=False, server_default=text("0")),
    Column("read_counted_at", INSTANT),
    Column("origin", Text),
    Index("broadcasts_app_id_accepted_at", "app_id", "accepted_at", "id"),
    Index("broadcasts_accepted_at", "accepted_at", "id"),
    Index("broadcasts_pending", "app_id", "id", postgresql_where=text("status = 'PENDING'")),
    Index(
        "broadcasts_unfinished",
        "id",
        postgresql_where=text("status IN ('PENDING', 'EXPANDING', 'RECALLING')"),
    ),
)

# `state`: waiting → expanded (its deliveries are in) → published; or waiting → cancelled. What fails stays
# where it is, has an `error`, and rests until `lease_until` ("failed": given up by an older version).
# Recalled: → taken_back (its deliveries are out) → recalled (that is published). The frozen audience is the ids
# themselves, so what is inserted is exactly what was counted, whoever joins or leaves meanwhile.
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

# The dead letters: the whole accepted row as JSON, so that a replay is the same send with its old id.
failed_sends = Table(
    "failed_sends",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", JSONB, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("failed_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
)

# Scheduled sends of disabled apps that are due: the whole accepted row as JSON, until the app is enabled.
held_sends = Table(
    "held_sends",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("app_id", Integer, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("held_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Index("held_sends_app_id_id", "app_id", "id"),
)

# How far the letting go of a month is: `step` settle or check (the month's partition, up to `next_block`), then, when
# it is dropped, clear; of settle and clear the last conversation done. `high`: where the month's ids end.
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

# What the last nightly recount of unread counters found (0), and the one that runs (1), up to `next_block`.
recounts = Table(
    "recounts",
    metadata,
    Column("night", SmallInteger, primary_key=True, autoincrement=False),
    Column("drifted", Integer, nullable=False),
    Column("counted_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("next_block", BigInteger),
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

# The operators who are signed in to the console; of a session there is a digest only.
console_sessions = Table(
    "console_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("ends_at", INSTANT, nullable=False),
)

# Attempts to sign in to the console within the last minutes; a bounded number of rows.
console_sign_ins = Table(
    "console_sign_ins",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("address", Text, nullable=False),
    Column("tried_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Index("console_sign_ins_tried_at", "tried_at"),
)
