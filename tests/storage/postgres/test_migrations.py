"""The migrations and `tables/` describe one schema."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from storage.postgres.messages.partitions import add_months
from storage.postgres.schema import (
    MONTHS_AHEAD,
    SchemaState,
    compare_migrations,
    find_revision,
    has_missing_migrations,
    upgrade,
)
from storage.postgres.tables import metadata
from storage.settings import DatabaseSettings, load


def is_ours(name: str | None, kind: str, parents: Any) -> bool:
    """Everything but the monthly partitions, which come and go."""
    return not (kind == "table" and name is not None and "_y20" in name)


def test_the_migrations_build_what_the_tables_say(engine: Engine) -> None:
    """Alembic finds no difference between the migrated database and the metadata."""
    with engine.begin() as connection:
        assert not has_missing_migrations(connection)
        options = {"compare_type": True, "compare_server_default": True, "include_name": is_ours}
        differences = compare_metadata(
            MigrationContext.configure(connection, opts=options), metadata
        )
        assert differences == []


def test_upgrading_again_changes_nothing_and_keeps_months_ahead(
    engine: Engine, database_url: str
) -> None:
    """`carillon db upgrade` is safe to repeat, and brings back a month that is missing."""
    with engine.begin() as connection:
        assert add_months(connection, MONTHS_AHEAD) == 0
        newest = text(
            "SELECT max(relname) FROM pg_class WHERE relname ~ '^messages_y' AND relkind = 'r'"
        )
        name = str(connection.execute(newest).scalar_one())
        connection.execute(text(f"DROP TABLE {name}, {name.replace('messages', 'deliveries')}"))
    upgrade(load(DatabaseSettings, {"CARILLON_DATABASE_URL": database_url}))
    with engine.begin() as connection:
        assert connection.execute(newest).scalar_one() == name


def test_a_newer_releases_schema_is_left_as_it_is(engine: Engine, database_url: str) -> None:
    """After a roll-back this release works on the schema of a newer one: it is ready, and an upgrade changes nothing."""
    stamp = text("UPDATE alembic_version SET version_num = '9999'")
    with engine.begin() as connection:
        connection.execute(stamp)
    upgrade(load(DatabaseSettings, {"CARILLON_DATABASE_URL": database_url}))
    with engine.begin() as connection:
        assert compare_migrations(connection) is SchemaState.AHEAD
        assert not has_missing_migrations(connection)
        assert find_revision(connection) == "9999"
