"""The metadata that every table belongs to, and the column lists and options that several tables share."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    Text,
    func,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "pk": "%(table_name)s_pkey",
    }
)

INSTANT = DateTime(timezone=True)


# A queue table: rows come and go in great numbers, so it is vacuumed by their count and not by their share.
QUEUE_OPTIONS = {
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 5000,
    "autovacuum_analyze_scale_factor": 0,
    "autovacuum_analyze_threshold": 5000,
}


def message_columns() -> list[Column[object]]:
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
        Column("client_ref", Text),
        # Of cards (contract §8); NULL in nearly every row. `version` is NULL until the first change.
        Column("state", Text),
        Column("state_text", Text),
        Column("ref", Text),
        Column("version", Integer),
        Column("is_broadcast", Boolean, nullable=False, server_default=text("false")),
        Column("created_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    ]
