"""What keeps a deployment running: periodic jobs, uploads, and what operators paused."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
)

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

# What operators paused: a queue by its name, or an app by its string id; without `until` for as long as nobody resumes
# it. A row whose `until` has passed pauses nothing any more; the sweep deletes it.
pauses = Table(
    "pauses",
    metadata,
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("paused_by", Text, nullable=False),
    Column("paused_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("until", INSTANT),
    PrimaryKeyConstraint("kind", "target"),
    CheckConstraint("kind IN ('queue', 'app')", name="kind"),
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
    # Found in a message that stays, when its owner was erased.
    Column("kept_at", INSTANT),
    Index("media_objects_owner", "owner"),
)
