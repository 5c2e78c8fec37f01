"""The schema of the record: brought up to date, and by whom it is owned.

Called by `carillon up`, `carillon db` and `/readyz`. The tables are `tables/`, their history `migrations/`, and who
may do what with them `roles.py`.
"""

import time
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, make_url, text

from storage.model.errors import InvalidSettings
from storage.postgres import roles, session_limits
from storage.postgres.database import make_blocking_engine
from storage.postgres.driver_errors import Locked, translate_driver_errors
from storage.setting_parsers import database_url
from storage.settings import DatabaseSettings

if TYPE_CHECKING:
    from alembic.config import Config

# Months whose partitions are made ahead: scheduled messages may be due in 90 days (contract §2), plus one to spare.
MONTHS_AHEAD = 4


def upgrade(settings: DatabaseSettings, *, patience_seconds: float = 60.0) -> None:
    """Bring the schema up to date, as its owner; safe to repeat, and for several processes at once.

    A schema that a newer release made stays as it is.

    While others hold a table that a migration needs, it is tried again after pauses, so that they can go on. Raises
    `Locked` (a TransientError) when that lasts longer than `patience_seconds`.
    """
    as_owner = replace(settings, url=settings.owner_url or settings.url)
    engine = make_blocking_engine(
        as_owner, application_name="carillon upgrade", limits=session_limits.MIGRATION
    )
    application = make_url(settings.url).username if settings.owner_url else None
    until = time.monotonic() + patience_seconds
    try:
        while True:
            try:
                _upgrade(engine, application)
            except Locked:
                if time.monotonic() >= until:
                    raise
                time.sleep(1)
            else:
                return
    finally:
        engine.dispose()


def _upgrade(engine: Engine, application: str | None) -> None:
    from alembic import command  # noqa: PLC0415 (a worker would start later by it, and never needs it)

    with translate_driver_errors(), engine.begin() as connection:
        # One upgrade at a time: others wait until this transaction ends, however long that takes.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('carillon upgrade'))"))
        connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
        # A newer release was here, and we are what it is rolled back to: its schema serves us too.
        if compare_migrations(connection) is not SchemaState.AHEAD:
            command.upgrade(alembic_config(connection), "head")
        # Again at every start: a deployment that slept for months must still have this month's.
        connection.execute(text("SELECT add_message_months(:ahead)"), {"ahead": MONTHS_AHEAD})
        if application is not None:
            roles.grant(connection, application)


def set_up_roles(settings: DatabaseSettings, *, admin_url: str) -> None:
    """Make the two roles that the URLs in `settings` name, with their passwords, and give the schema to the owner.

    `admin_url` is the same database, as a superuser. Safe to repeat. Raises InvalidSettings when a URL names no
    role or no password (`storage/postgres/roles.py`).
    """
    if not settings.owner_url:
        raise InvalidSettings(
            "CARILLON_DATABASE_OWNER_URL must be set: the role that is to own the schema."
        )
    admin = replace(settings, url=database_url(admin_url))
    engine = make_blocking_engine(
        admin, application_name="carillon roles", limits=session_limits.MIGRATION
    )
    try:
        with translate_driver_errors(), engine.begin() as connection:
            roles.set_up(
                connection,
                owner=roles.parse_role(settings.owner_url),
                application=roles.parse_role(settings.url),
            )
    finally:
        engine.dispose()


def alembic_config(connection: Connection) -> "Config":
    """Alembic's configuration: the migrations in this package, run over `connection`."""
    from alembic.config import Config  # noqa: PLC0415 (as in upgrade)

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


class SchemaState(StrEnum):
    """How the schema stands to this version's migrations."""

    CURRENT = "current"
    EMPTY = "empty"
    BEHIND = "behind"
    AHEAD = "ahead"


def find_revision(connection: Connection) -> str | None:
    """The revision of the last migration that ran; None if the database has no table of ours."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 (as in upgrade)

    return MigrationContext.configure(connection).get_current_revision()


def is_known_revision(connection: Connection, revision: str) -> bool:
    """Whether this code has the migration `revision`: not, if a newer release made it."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 (as in upgrade)

    steps = ScriptDirectory.from_config(alembic_config(connection)).walk_revisions()
    return revision in {step.revision for step in steps}


def has_missing_migrations(connection: Connection) -> bool:
    """Whether the schema lacks a migration that this code has.

    One that a newer release made lacks none: the last release works on it (CONTRIBUTING.md), while the newer one is being
    deployed and after a roll-back.
    """
    return compare_migrations(connection) in {SchemaState.EMPTY, SchemaState.BEHIND}


def compare_migrations(connection: Connection) -> SchemaState:
    """Whether the schema is that of this version, lacks migrations, or has one that this version does not know."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 (as in upgrade)

    found = find_revision(connection)
    if found is None:
        return SchemaState.EMPTY
    if found in ScriptDirectory.from_config(alembic_config(connection)).get_heads():
        return SchemaState.CURRENT
    return SchemaState.BEHIND if is_known_revision(connection, found) else SchemaState.AHEAD
