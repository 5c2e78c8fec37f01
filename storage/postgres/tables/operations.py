"""What keeps a deployment running: periodic jobs and uploads."""

from sqlalchemy import BigInteger, Column, Table, Text, func

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
