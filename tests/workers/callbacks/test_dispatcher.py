"""Calls of endpoints from what stands in the record: at least once, in order, and each app beside the others."""

import time
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, text

from storage.postgres.app_events import pushing
from tests.storage.postgres.app_events.steps import list_all, write
from tests.workers.callbacks.business_app import run_app
from tests.workers.callbacks.conftest import Apps, happens
from tests.workers.callbacks.endpoints import OK, accept_and_hang, answer, serve
from workers.callbacks.back_off import PAUSES
from workers.callbacks.dispatcher import Dispatcher
from workers.callbacks.services import CallbackServices

FAILURE = b"HTTP/1.1 500 Oops\r\n\r\n"
GONE = b"HTTP/1.1 410 Gone\r\n\r\n"


def write_events(engine: Engine, marks: range, *, app_id: int = 7) -> None:
    """Write events of an app, each in a transaction of its own."""
    for mark in marks:
        with engine.begin() as connection:
            write(connection, mark, app_id=app_id)


def test_an_app_is_told_of_all_events_in_order(
    engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """Each event is told once, verified with the app's secret, as a pull shows it; then nothing is due."""
    with run_app() as app:
        apps.connect(7, app)
        write_events(engine, range(120))
        dispatcher.take_due()
        assert happens(lambda: len(app.told) == 120)
        assert happens(lambda: apps.read(7, "lease_until") is None)
        assert dispatcher.take_due() == 0
    assert [body["data"]["mark"] for _, body in app.told] == list(range(120))
    pulled = [*list_all(engine), *list_all(engine, after=100)]
    assert [id for id, _ in app.told] == [event.webhook_id for event in pulled]
    assert [body["seq"] for _, body in app.told] == [event.seq for event in pulled]
    assert app.told[0][1].keys() >= {"seq", "type", "time", "time_ms", "data", "timestamp"}
    assert apps.read(7, "taken_up_to") == pulled[-1].seq


def test_a_call_is_signed_with_every_live_secret(
    engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """While a secret is rotated, an app that knows only the old one and one that knows the new one both verify."""
    with run_app() as app:
        apps.connect(7, app)
        apps.rotate(7, app)
        assert len(app.secrets) == 2
        write_events(engine, range(1))
        dispatcher.take_due()
        assert happens(lambda: len(app.told) == 1)


def test_a_failing_endpoint_rests_longer_each_time_and_is_paused_at_last(
    engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """After each failure the same event is due again later, under the same id; after nine it waits for an operator."""
    with run_app(FAILURE) as app:
        apps.connect(7, app)
        write_events(engine, range(3))
        for failures, pause in enumerate(PAUSES, start=1):
            assert dispatcher.take_due() == 1
            assert happens(partial(apps.has, 7, "attempts", failures))
            rest = apps.read(7, "next_try_at - clock_timestamp()")
            assert isinstance(rest, timedelta)
            assert pause - timedelta(seconds=60) < rest <= pause
            assert dispatcher.take_due() == 0
            apps.change(7, "next_try_at = clock_timestamp()")
        assert dispatcher.take_due() == 1
        assert happens(lambda: apps.read(7, "status") == "PAUSED")
        assert dispatcher.take_due() == 0
    assert len(app.told) == 9
    assert len({id for id, _ in app.told}) == 1
    assert apps.read(7, "last_error") == "It answered 500."
    assert len(list_all(engine)) == 3


def test_what_failed_goes_on_from_there(engine: Engine, apps: Apps, dispatcher: Dispatcher) -> None:
    """After a failure the app is told the same event again and then the next ones: none is passed over."""
    with run_app(OK, FAILURE, OK) as app:
        apps.connect(7, app)
        write_events(engine, range(4))
        dispatcher.take_due()
        assert happens(lambda: apps.read(7, "attempts") == 1)
        apps.change(7, "next_try_at = clock_timestamp()")
        dispatcher.take_due()
        assert happens(lambda: len(app.told) == 5)
        assert happens(lambda: apps.read(7, "attempts") == 0)
    assert [body["data"]["mark"] for _, body in app.told] == [0, 1, 1, 2, 3]
    assert app.told[1][0] == app.told[2][0]
    assert apps.read(7, "last_error") is None


def test_410_switches_the_endpoint_off(engine: Engine, apps: Apps, dispatcher: Dispatcher) -> None:
    """An endpoint that answers 410 is not called again, and its events stay."""
    with run_app(GONE) as app:
        apps.connect(7, app)
        write_events(engine, range(2))
        dispatcher.take_due()
        assert happens(lambda: apps.read(7, "status") == "OFF")
        assert dispatcher.take_due() == 0
    assert len(app.told) == 1
    assert len(list_all(engine)) == 2


def test_many_dead_endpoints_delay_no_other(
    engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """While endpoints hang, refuse, redirect and answer nonsense, a healthy one is told all of its events."""
    with (
        serve(accept_and_hang) as hanging,
        serve(answer(b"nonsense")) as lying,
        serve(answer(b"HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n")) as redirecting,
        run_app() as app,
    ):
        ports = [hanging] * 20 + [lying] * 5 + [redirecting] * 5 + [1] * 5
        for app_id, port in enumerate(ports, start=100):
            apps.add(app_id, f"http://127.0.0.1:{port}/")
            write_events(engine, range(2), app_id=app_id)
        apps.connect(7, app)
        write_events(engine, range(3))
        dispatcher.take_due()
        assert happens(lambda: len(app.told) == 3)
        # They hang still: they would have been marked otherwise.
        assert apps.read(100, "lease_until") is not None
        assert apps.read(100, "attempts") == 0


def test_endpoints_that_failed_share_half_of_the_places(
    engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """However many endpoints that failed before are due at once, places are left for those that did not."""
    with serve(accept_and_hang) as hanging, run_app() as app:
        for app_id in range(100, 180):
            apps.add(app_id, f"http://127.0.0.1:{hanging}/")
            write_events(engine, range(1), app_id=app_id)
            apps.change(app_id, "attempts = 1")
        assert dispatcher.take_due() == 64
        apps.connect(7, app)
        write_events(engine, range(3))
        assert dispatcher.take_due() == 1
        assert happens(lambda: len(app.told) == 3)


def count_held(engine: Engine) -> int:
    """How many endpoints are in hand."""
    with engine.begin() as connection:
        counted = text("SELECT count(*) FROM app_callbacks WHERE lease_until IS NOT NULL")
        return int(connection.execute(counted).scalar_one())


def test_a_slow_endpoint_is_told_all_and_shares_the_half(
    engine: Engine, apps: Apps, callback_services: CallbackServices
) -> None:
    """Endpoints that answer 2xx and keep the connection are slow from their first call on: they leave places for others."""
    few = replace(callback_services, settings=replace(callback_services.settings, calls=4))
    slow = answer(b"HTTP/1.1 200 OK\r\n\r\n", *[b"a"] * 100, pause=0.2)
    dispatcher = Dispatcher(few)
    dispatcher.start()
    with serve(slow) as port, run_app() as app:
        for app_id in range(100, 108):
            apps.add(app_id, f"http://127.0.0.1:{port}/")
            write_events(engine, range(4), app_id=app_id)
        while not all(apps.read(id, "taken_up_to") == 4 for id in range(100, 108)):
            dispatcher.take_due()
        assert happens(lambda: count_held(engine) == 0)
        for app_id in range(100, 108):
            write_events(engine, range(2), app_id=app_id)
        dispatcher.take_due()
        assert count_held(engine) <= 2
        apps.connect(7, app)
        write_events(engine, range(3))
        dispatcher.take_due()
        assert happens(lambda: len(app.told) == 3)
        assert happens(lambda: count_held(engine) == 0)
    dispatcher.close()


def test_two_workers_do_not_call_one_app_at_once(
    engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """What one worker has in hand the other one does not take, before its lease ends."""
    with serve(accept_and_hang) as hanging:
        apps.add(7, f"http://127.0.0.1:{hanging}/")
        write_events(engine, range(1))
        assert dispatcher.take_due() == 1
        # A row that is just being numbered would be passed over.
        assert happens(lambda: len(list_all(engine)) == 1)
        with engine.begin() as connection:
            assert pushing.take_endpoints(connection, limit=9, failing=True, lease=timedelta(seconds=5)) == []  # fmt: skip
        apps.change(7, "lease_until = clock_timestamp() - interval '1 second'")
        with engine.begin() as connection:
            [taken] = pushing.take_endpoints(connection, limit=9, failing=True, lease=timedelta(seconds=5))  # fmt: skip
            assert taken.app_id == 7


def test_what_comes_late_of_a_worker_that_lost_its_lease_is_not_noted(
    engine: Engine, apps: Apps
) -> None:
    """A worker that was frozen past its lease marks nothing: neither that an event was taken nor that it failed."""
    apps.add(7, "https://a.example.com/")
    write_events(engine, range(2))
    lease = timedelta(seconds=30)
    with engine.begin() as connection:
        [late] = pushing.take_endpoints(connection, limit=1, failing=False, lease=lease)
    apps.change(7, "lease_until = clock_timestamp()")
    with engine.begin() as connection:
        [other] = pushing.take_endpoints(connection, limit=1, failing=False, lease=lease)
    with engine.begin() as connection:
        assert pushing.mark_taken(connection, late, 1, lease=lease) is None
        assert not pushing.mark_failed(connection, late, error="late", pause=lease)
        assert not pushing.mark_gone(connection, late, error="late")
        assert not pushing.give_back(connection, late)
        assert pushing.mark_taken(connection, other, 1, lease=lease) is not None
    assert apps.read(7, "taken_up_to") == 1
    assert apps.read(7, "status") == "ACTIVE"


@pytest.mark.parametrize(
    "change", ["status = 'PAUSED'", "status = 'OFF'", "url = NULL", "next_try_at = clock_timestamp() + interval '1 minute', attempts = 1"]
)  # fmt: skip
def test_what_is_stopped_is_not_called(
    change: str, engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """An endpoint that is paused, off, taken away or resting is not due."""
    apps.add(7, "http://127.0.0.1:1/")
    write_events(engine, range(1))
    apps.change(7, change)
    with engine.begin() as connection:
        assert not pushing.has_due_endpoint(connection)
    assert dispatcher.take_due() == 0


def test_events_of_a_disabled_app_wait(engine: Engine, apps: Apps, dispatcher: Dispatcher) -> None:
    """A disabled app is not called; once it is enabled, it is told what happened meanwhile."""
    with run_app() as app:
        apps.connect(7, app)
        write_events(engine, range(2))
        activate = text("UPDATE apps SET is_active = :active WHERE id = 7")
        with engine.begin() as connection:
            connection.execute(activate, {"active": False})
        assert dispatcher.take_due() == 0
        with engine.begin() as connection:
            connection.execute(activate, {"active": True})
        assert dispatcher.take_due() == 1
        assert happens(lambda: len(app.told) == 2)


def test_a_clock_that_was_set_back_stops_nothing(
    engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """A lease and a last call that lie in the future are of before the clock was set back, and hold nothing up."""
    with run_app() as app:
        apps.connect(7, app)
        write_events(engine, range(1))
        ahead = "clock_timestamp() + interval '1 hour'"
        apps.change(7, f"lease_until = {ahead}, next_try_at = {ahead}")
        assert dispatcher.take_due() == 1
        assert happens(lambda: len(app.told) == 1)


def test_numbers_of_events_that_are_gone_hold_nothing_up(
    engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """When retention has dropped what was not taken, the endpoint is no longer due, and goes on with what comes."""
    with run_app() as app:
        apps.connect(7, app)
        apps.change(7, "last_seq = 9")
        assert dispatcher.take_due() == 1
        assert happens(lambda: apps.read(7, "taken_up_to") == 9)
        write_events(engine, range(1))
        assert happens(lambda: dispatcher.take_due() == 1)
        assert happens(lambda: app.numbers == [10])


def test_a_secret_that_cannot_be_opened_is_a_failure_of_that_app(
    engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """An app whose secret is gone is not called, and its row says why."""
    apps.add(7, "http://127.0.0.1:1/")
    write_events(engine, range(1))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM app_callback_secrets"))
    dispatcher.take_due()
    assert happens(lambda: apps.read(7, "attempts") == 1)
    assert apps.read(7, "last_error") == "The app has no secret for callbacks."


def test_closing_gives_back_what_is_in_hand(
    engine: Engine, apps: Apps, dispatcher: Dispatcher
) -> None:
    """A worker that ends does not wait for an endpoint that hangs, and another may call it at once."""
    with serve(accept_and_hang) as hanging:
        apps.add(7, f"http://127.0.0.1:{hanging}/")
        write_events(engine, range(1))
        assert dispatcher.take_due() == 1
        began = time.monotonic()
        dispatcher.close()
        # The call itself would go on for ten seconds.
        assert time.monotonic() - began < 9
        assert apps.read(7, "lease_until") is None
        assert apps.read(7, "attempts") == 0
