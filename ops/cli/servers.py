"""The database and the bus of a command, closed when its block ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from ops.cli import environment
from storage.bus import Bus, BusSettings
from storage.database import BlockingDatabase
from storage.settings import DatabaseSettings, ValkeySettings, load


@contextmanager
def record() -> Iterator[BlockingDatabase]:
    """The database that the settings name."""
    settings = load(DatabaseSettings, environment())
    database = BlockingDatabase(settings, application_name="carillon")
    try:
        yield database
    finally:
        database.close()


@contextmanager
def gateways() -> Iterator[Bus]:
    """The bus, to tell gateways something."""
    environ = environment()
    bus = Bus(load(BusSettings, environ), load(ValkeySettings, environ))
    try:
        yield bus
    finally:
        bus.close()
