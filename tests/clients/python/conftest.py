"""A stack of this folder's own with people and an app, and both shells of the SDK."""

from collections.abc import Iterator
from typing import Any

import pytest

from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests import services
from tests.clients.live_stack import LiveStack
from tests.clients.python.shells import Shell


@pytest.fixture(params=["blocking", "asynchronous"])
def shell(request: pytest.FixtureRequest) -> Iterator[Shell]:
    """Each shell in turn."""
    opened = Shell(request.param)
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def live() -> Iterator[LiveStack]:
    """The stack, and what can be done to it."""
    with services.stack() as running:
        settings = load(DatabaseSettings, running.environ)
        engine = make_blocking_engine(settings, application_name="tests")
        live = LiveStack(running, engine)
        live.describe(callback_url="https://oa.example.com/callback")
        yield live
        engine.dispose()


@pytest.fixture
def url(live: LiveStack) -> str:
    """Where the API is."""
    return str(live.about["url"])


@pytest.fixture
def app(live: LiveStack, shell: Shell) -> Any:
    """A client of the app `oa_system`."""
    about = live.about
    return shell.app(about["url"], about["app"]["app_id"], about["app"]["secret"])


@pytest.fixture
def me(live: LiveStack) -> dict[str, Any]:
    """A person nobody else uses."""
    return live.new_person(name="张三")


@pytest.fixture
def you(live: LiveStack) -> dict[str, Any]:
    """Another one."""
    return live.new_person(name="李四")


@pytest.fixture
def my(url: str, me: dict[str, Any], shell: Shell) -> Any:
    """My client."""
    return shell.person(url, me["token"])


@pytest.fixture
def your(url: str, you: dict[str, Any], shell: Shell) -> Any:
    """The other's client."""
    return shell.person(url, you["token"])
