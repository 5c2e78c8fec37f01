"""Cards: whose to-dos they are, what apps call them, and who changed them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
)

from storage.postgres.tables.table_parts import INSTANT, metadata

# A row for each delivery of a message with a state; it goes with the delivery. `is_open` follows `messages.state`: at once
# for a message to one receiver, chunk by chunk for a broadcast, so readers go by `messages.state` in the end.
todos = Table(
    "todos",
    metadata,
    Column("message_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    PrimaryKeyConstraint("message_id", "user_id"),
    Index("todos_user_id_is_open_message_id", "user_id", "is_open", "message_id"),
)

# The messages of an app by its own name for their matter, from the moment they are accepted.
card_refs = Table(
    "card_refs",
    metadata,
    Column("app_id", Integer, nullable=False),
    Column("ref", Text, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("app_id", "ref", "message_id"),
    Index("card_refs_message_id", "message_id"),
)

# Who made which version of a card, and when; not what it was before. `changed_by` is a caller's or an operator's name.
card_versions = Table(
    "card_versions",
    metadata,
    Column("message_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("changed_by", Text, nullable=False),
    Column("request_id", Text),
    PrimaryKeyConstraint("message_id", "version"),
)
