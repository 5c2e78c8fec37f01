"""Cards: whose to-dos they are, and what apps call them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from storage.postgres.tables.table_parts import metadata

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
