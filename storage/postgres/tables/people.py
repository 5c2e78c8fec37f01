"""People, business apps, and the accounts that apps know people by."""

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
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import Identity

from storage.postgres.tables.table_parts import INSTANT, metadata

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
    # The lower-case substrings of one and two characters of the three names, as numbers: a trigram index cannot
    # serve a search for one Chinese character (docs/decisions/0024-search-by-grams.md). Filled by the code that
    # writes the row (`name_grams.grams`).
    Column("search_grams", ARRAY(Integer), nullable=False, server_default="{}"),
    Index("users_search_grams", "search_grams", postgresql_using="gin"),
    # Everyone active, by id, without reading the wide rows: the planning of a broadcast reads along it.
    Index(
        "users_active",
        "id",
        postgresql_include=["created_at"],
        postgresql_where=text("status = 'ACTIVE' AND NOT is_deleted"),
    ),
    # Everyone else: the sweep compares them with whom gateways refuse.
    Index("users_disabled", "id", postgresql_where=text("status <> 'ACTIVE' OR is_deleted")),
)

# Who became active or inactive, and when. A trigger of `users` writes it, so that a broadcast's audience is that of
# its acceptance, however late it is planned (docs/decisions/0008-arrays-not-ranges.md). Upkeep deletes old rows.
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
    # The lowest version of signatures that is taken from it (contract §1).
    Column("signature_version", SmallInteger, nullable=False, server_default="1"),
    # Networks (CIDR) that its calls may come from; none: from anywhere.
    Column("allowed_networks", ARRAY(Text), nullable=False, server_default="{}"),
)

# At most two secrets of an app are valid at once, so that one can be rotated without an outage (contract §1).
app_secrets = Table(
    "app_secrets",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("app_id", Integer, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=func.now()),
    # None: it ends when there are two newer ones.
    Column("ends_at", INSTANT),
)

app_redirect_hosts = Table(
    "app_redirect_hosts",
    metadata,
    Column("app_id", Integer, nullable=False),
    Column("host", Text, nullable=False),
    PrimaryKeyConstraint("app_id", "host"),
)

# People whose data is erased, and how far that is (docs/decisions/0035-erasure.md). The row stays: nobody is to come back under this
# id. `step` is a word of `personal_data/erasure_steps.py`, `next_id` where a walk along ids stands; then what was
# erased so far, in numbers. After a failure there is an `error`, and it goes on at `try_at`.
erasures = Table(
    "erasures",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("requested_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("requested_by", Text, nullable=False),
    Column("step", Text, nullable=False, server_default="keys"),
    Column("next_id", BigInteger, nullable=False, server_default=text("0")),
    Column("deliveries", BigInteger, nullable=False, server_default=text("0")),
    Column("sends", BigInteger, nullable=False, server_default=text("0")),
    Column("messages", BigInteger, nullable=False, server_default=text("0")),
    Column("media", BigInteger, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("try_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("finished_at", INSTANT),
    Index("erasures_open", "try_at", postgresql_where=text("finished_at IS NULL")),
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
