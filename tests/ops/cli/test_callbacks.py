"""`carillon callbacks`: apps' endpoints as operators see and move them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, text

from storage.postgres import audit
from tests.ops.cli.command import carillon, refusal
from tests.storage.postgres.app_events.steps import ask_for, write
from tests.workers.callbacks.business_app import BusinessApp, run_app
from tests.workers.callbacks.conftest import Apps, happens
from workers.callbacks.dispatcher import Dispatcher
from workers.callbacks.services import CallbackServices, open_callback_services


@pytest.fixture
def callback_services(environ: Mapping[str, str]) -> Iterator[CallbackServices]:
    """The services of a callbacks worker that may call this machine."""
    made = open_callback_services({**environ, "CARILLON_CALLBACK_ALLOWED": "127.0.0.0/8"})
    yield made
    made.close()


@pytest.fixture
def apps(engine: Engine, callback_services: CallbackServices) -> Apps:
    """Apps that asked for events."""
    return Apps(engine, callback_services)


@pytest.fixture
def app(engine: Engine, apps: Apps, callback_services: CallbackServices) -> Iterator[BusinessApp]:
    """The endpoint of app 7, which was told of three events."""
    with run_app() as endpoint:
        apps.connect(7, endpoint)
        for mark in range(3):
            with engine.begin() as connection:
                write(connection, mark)
        await_told(endpoint, callback_services, 1, 2, 3)
        yield endpoint


@contextmanager
def a_worker(services: CallbackServices) -> Iterator[None]:
    """A worker that is rung for again and again, as the sweep does."""
    dispatcher, over = Dispatcher(services), Event()

    def ring() -> None:
        while not over.wait(0.1):
            dispatcher.take_due()

    dispatcher.start()
    ringing = Thread(target=ring)
    ringing.start()
    try:
        yield
    finally:
        over.set()
        ringing.join()
        dispatcher.close()


def await_told(app: BusinessApp, services: CallbackServices, *numbers: int) -> None:
    """Have a worker call until the app has been told just these, one after the other."""
    with a_worker(services):
        happens(lambda: len(app.told) >= len(numbers))
    assert app.numbers == [*numbers]


def show(environ: Mapping[str, str], app_id: str = "app_7") -> dict[str, object]:
    """What `show` says of an app."""
    shown: dict[str, object] = json.loads(carillon(environ, "callbacks", "show", app_id).stdout)
    return shown


def test_a_stopped_endpoint_is_seen_and_resumed(
    environ: Mapping[str, str], engine: Engine, apps: Apps, app: BusinessApp, callback_services: CallbackServices
) -> None:  # fmt: skip
    """It is listed with its last error and what waits; resumed it is called at once, and the audit says who did that."""
    with engine.begin() as connection:
        write(connection, 4)
    apps.change(7, "status = 'PAUSED', attempts = 9, last_error = 'It answered 500.'")
    listed = carillon(environ, "callbacks", "list", "--json").stdout
    [line] = json.loads(listed)
    assert (line["status"], line["failures"], line["waiting"]) == ("PAUSED", 9, 1)
    assert line["last_error"] == "It answered 500."
    assert "PAUSED" in carillon(environ, "callbacks", "list").stdout
    assert "is PAUSED: resume it first" in refusal(carillon(environ, "callbacks", "test", "app_7"))
    assert "called again" in carillon(environ, "callbacks", "resume", "app_7").stdout
    await_told(app, callback_services, 1, 2, 3, 4)
    assert (show(environ)["failures"], show(environ)["waiting"]) == (0, 0)
    with engine.begin() as connection:
        [row] = audit.list_rows(connection, act="callback.resume", limit=9)
    assert row.target == "app app_7"
    assert row.before == {"status": "PAUSED", "failures": 9}


def test_replay_tells_again_under_the_same_names(
    environ: Mapping[str, str], app: BusinessApp, callback_services: CallbackServices
) -> None:
    """From the number that is named on, everything comes again as it came before; other numbers are refused."""
    told = carillon(environ, "callbacks", "replay", "app_7", "--from", "2").stdout
    assert "2 events" in told
    await_told(app, callback_services, 1, 2, 3, 2, 3)
    assert app.told[3:] == app.told[1:3]
    for seq in ("0", "4"):
        answer = carillon(environ, "callbacks", "replay", "app_7", "--from", seq)
        assert "numbers 1 to 3" in refusal(answer)


def test_a_test_says_what_came_of_it(
    environ: Mapping[str, str], apps: Apps, app: BusinessApp, callback_services: CallbackServices
) -> None:
    """It is pushed like any event; what is not taken is said, with why, and the exit code is 1."""
    answer = carillon(environ, "callbacks", "test", "app_7", "--wait", "0")
    assert "does a callbacks worker run?" in refusal(answer)
    await_told(app, callback_services, 1, 2, 3, 4)
    assert app.told[-1][1]["type"] == "callback.test"
    app.answers = [b"HTTP/1.1 500 Oops\r\n\r\n"]
    with a_worker(callback_services):
        answer = carillon(environ, "callbacks", "test", "app_7")
        assert "It answered 500." in refusal(answer)
        app.answers = [b"HTTP/1.1 200 OK\r\n\r\n"]
        carillon(environ, "callbacks", "resume", "app_7")
        assert "took it" in carillon(environ, "callbacks", "test", "app_7").stdout


def test_what_is_not_there_is_said(environ: Mapping[str, str], engine: Engine, apps: Apps) -> None:
    """An unknown app, one that asked for nothing, and one that only pulls have no endpoint to be moved."""
    assert "There is no app nope." in refusal(carillon(environ, "callbacks", "show", "nope"))
    assert "No app has asked" in carillon(environ, "callbacks", "list").stdout
    apps.add(8, "https://a.example.com/")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM app_callbacks"))
    assert "has not asked" in refusal(carillon(environ, "callbacks", "show", "app_8"))
    ask_for(engine, app_id=8, url=None)
    assert show(environ, "app_8")["url"] is None
    for command in (("resume", "app_8"), ("test", "app_8"), ("replay", "app_8", "--from", "1")):
        assert "has no endpoint" in refusal(carillon(environ, "callbacks", *command))
