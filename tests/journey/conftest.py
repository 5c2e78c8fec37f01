"""People and an app on the running stack, once with each broker."""

import os
from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import Engine, delete, insert

from storage.keys.vault import Vault, VaultSettings
from storage.postgres.database import make_blocking_engine
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.postgres.tables import mappings, users
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import add_people
from tests.journey.client import Client
from tests.services import Stack

AMQP_URL = os.environ.get("CARILLON_TEST_AMQP_URL", "")
BROKERS = [
    pytest.param({}, id="valkey"),
    pytest.param(
        {"CARILLON_BROKER_URL": AMQP_URL},
        id="rabbitmq",
        marks=pytest.mark.skipif(not AMQP_URL, reason="CARILLON_TEST_AMQP_URL is not set"),
    ),
]

_hundreds = count(1)


@pytest.fixture(scope="session", params=BROKERS)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The whole stack, running, with each broker: the promise is the same with either (contract §2)."""
    with services.stack(**request.param) as running:
        yield running


@pytest.fixture(scope="session")
def client(stack: Stack) -> Iterator[Client]:
    """Clients of the shared stack."""
    with Client(stack) as client:
        yield client


@pytest.fixture(scope="session")
def record(stack: Stack) -> Iterator[Engine]:
    """The database of the shared stack."""
    settings = load(DatabaseSettings, stack.environ)
    engine = make_blocking_engine(settings, application_name="journey")
    yield engine
    engine.dispose()


@pytest.fixture
def people(record: Engine) -> Iterator[tuple[int, int, int]]:
    """Three people nobody else uses."""
    base = next(_hundreds) * 100
    ids = (base + 1, base + 2, base + 3)
    with record.begin() as connection:
        add_people(connection, ids)
    yield ids
    with record.begin() as connection:
        connection.execute(delete(users).where(users.c.id.in_(ids)))


@pytest.fixture(scope="session")
def oa(record: Engine, stack: Stack) -> str:
    """The secret of the client document's `oa_system`, with 张三, 李四 and 2048 in it."""
    vault = Vault(load(VaultSettings, stack.environ))
    with record.begin() as connection:
        app, secret = apps.add(
            connection,
            NewApp("oa_system", "OA系统", "https://oa.example.com/callback", ("*.example.com",)),
            vault=vault,
        )
        add_people(connection, (2048,), name="张三", mobile="13800138000")
        add_people(connection, (2049, 2050))
        names = {"zhangsan_oa": 2048, "lisi_manager": 2049, "wangwu": 2050}
        connection.execute(
            insert(mappings),
            [
                {"app_id": app.id, "app_user_id": name, "user_id": id, "email": f"{name}@corp.com"}
                for name, id in names.items()
            ],
        )
    return secret
