"""Fixtures for all tests. Servers are started when the first test asks for them, once a run."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests import services


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
