"""What tests of callbacks work with: services of the worker that may call this machine, and a dispatcher on them."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from sqlalchemy import Engine, text

from ops.local.polling import wait_until
from storage.postgres.app_events.callback_secrets import rotate_callback_secret
from tests.builders import add_app
from tests.storage.postgres.app_events.steps import ask_for
from tests.workers.callbacks.business_app import BusinessApp
from workers.callbacks.dispatcher import Dispatcher
from workers.callbacks.services import CallbackServices, open_callback_services


def happens(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true before a test would be given up."""
    return wait_until(condition, seconds=30)


@pytest.fixture
def callback_services(environ: Mapping[str, str]) -> Iterator[CallbackServices]:
    """The services of a callbacks worker that may call this machine."""
    made = open_callback_services({**environ, "CARILLON_CALLBACK_ALLOWED": "127.0.0.0/8"})
    yield made
    made.close()


@pytest.fixture
def dispatcher(callback_services: CallbackServices) -> Iterator[Dispatcher]:
    """A dispatcher at work, closed after the test."""
    made = Dispatcher(callback_services)
    made.start()
    yield made
    made.close()


@pytest.fixture
def apps(engine: Engine, callback_services: CallbackServices) -> "Apps":
    """Apps that asked for events, made when a test names their endpoints."""
    return Apps(engine, callback_services)


class Apps:
    """Apps in the record: each asks for every event at an endpoint."""

    def __init__(self, engine: Engine, services: CallbackServices) -> None:
        self._engine = engine
        self._services = services

    def add(self, app_id: int, url: str) -> str:
        """Add an app whose endpoint is at `url`; returns its secret."""
        with self._engine.begin() as connection:
            add_app(connection, app_id)
        ask_for(self._engine, app_id=app_id, url=url)
        with self._engine.begin() as connection:
            return rotate_callback_secret(connection, app_id, vault=self._services.vault)

    def connect(self, app_id: int, app: BusinessApp) -> None:
        """Add an app with this endpoint, and tell the endpoint the app's secret."""
        app.secrets.append(self.add(app_id, app.url))

    def rotate(self, app_id: int, app: BusinessApp) -> None:
        """Give the app another secret beside its own, and tell its endpoint."""
        with self._engine.begin() as connection:
            secret = rotate_callback_secret(connection, app_id, vault=self._services.vault)
        app.secrets.append(secret)

    def read(self, app_id: int, column: str) -> object:
        """A column of the app's row."""
        with self._engine.begin() as connection:
            found = text(f"SELECT {column} FROM app_callbacks WHERE app_id = :app_id")
            return connection.execute(found, {"app_id": app_id}).scalar_one()

    def has(self, app_id: int, column: str, value: object) -> bool:
        """Whether that is what stands in a column of the app's row."""
        return self.read(app_id, column) == value

    def change(self, app_id: int, change: str) -> None:
        """Change the app's row."""
        with self._engine.begin() as connection:
            changed = text(f"UPDATE app_callbacks SET {change} WHERE app_id = :app_id")
            connection.execute(changed, {"app_id": app_id})
