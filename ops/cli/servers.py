"""The connections of commands to the database and the bus, each for a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ops.cli import read_environment
from storage.postgres.database import BlockingDatabase
from storage.settings import DatabaseSettings, ValkeySettings, load
from storage.valkey.bus import Bus
from storage.valkey.bus_streams import BusSettings


@contextmanager
def open_database(*, as_owner: bool = False) -> Iterator[BlockingDatabase]:
    """The database that the settings name, closed when the block ends.

    `as_owner`: signed in as the role that owns the tables, if the settings name that role.
    """
    settings = load(DatabaseSettings, read_environment())
    if as_owner and settings.owner_url:
        settings = replace(settings, url=settings.owner_url)
    database = BlockingDatabase(settings, application_name="carillon")
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_bus() -> Iterator[Bus]:
    """The bus, for telling gateways something; closed when the block ends."""
    environ = read_environment()
    bus = Bus(load(BusSettings, environ), load(ValkeySettings, environ))
    try:
        yield bus
    finally:
        bus.close()
