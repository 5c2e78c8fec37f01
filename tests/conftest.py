"""Fixtures for all tests. Servers are started when the first test asks for them, once a run.

A teardown that hangs ends its process, with the stacks of all threads: pytest-timeout ends a test once, and what is torn
down after a test that was ended, or that failed, would otherwise wait for ever.
"""

import faulthandler
import os
import sys
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests import services

_LONGEST_TEARDOWN_SECONDS = 180.0
_OWN_STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the stderr of the run: that of a test is captured."""
    assert sys.__stderr__ is not None
    config.stash[_OWN_STDERR] = os.dup(sys.__stderr__.fileno())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """End the process if what is torn down takes too long; the run goes red and says where it hung."""
    stderr = item.config.stash[_OWN_STDERR]
    faulthandler.dump_traceback_later(_LONGEST_TEARDOWN_SECONDS, file=stderr, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The PostgreSQL of this run. Ask for `database_url` instead."""
    with services.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[EmbeddedValkey]:
    """The Valkey of this run. Ask for `valkey_url` instead."""
    with services.valkey() as server:
        yield server


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A fresh migrated database of this test's own."""
    with services.database(postgres) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Blocking connections to `database_url`; a test of claims, locks or commits may commit."""
    settings = load(DatabaseSettings, {"CARILLON_DATABASE_URL": database_url})
    engine = make_blocking_engine(settings, application_name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def valkey_url(valkey_server: EmbeddedValkey) -> str:
    """An empty Valkey."""
    services.flush(valkey_server)
    return valkey_server.url


@pytest.fixture
def environ(database_url: str, valkey_url: str, tmp_path: Path) -> Mapping[str, str]:
    """The CARILLON_* variables of a deployment on servers of this test's own."""
    return services.environment(database_url=database_url, valkey_url=valkey_url, data=tmp_path)


@pytest.fixture(scope="session")
def stack() -> Iterator[services.Stack]:
    """The whole stack, running. Shared: a test that breaks it mends it, or makes one of its own."""
    with services.stack() as running:
        yield running
