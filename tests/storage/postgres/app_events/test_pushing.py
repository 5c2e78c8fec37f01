"""What operators see of apps' endpoints."""

from datetime import timedelta

from sqlalchemy import Engine, text

from storage.postgres.app_events import pushing
from storage.postgres.app_events.pushing import EndpointsState
from tests.builders import add_app
from tests.storage.postgres.app_events.steps import ask_for, number_all, write

URL = "https://a.example.com/events"


def change(engine: Engine, table: str, values: str, *, app_id: int = 7) -> None:
    """Change the app's rows in a table."""
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET {values} WHERE app_id = {app_id}"))


def measure(engine: Engine) -> EndpointsState:
    """How the endpoints are now."""
    with engine.begin() as connection:
        return pushing.measure_endpoints(connection)


def add_waiting_event(engine: Engine, *, app_id: int = 7, url: str | None = URL) -> None:
    """An app that asked for all events, and an event of an hour ago that it was not told of."""
    with engine.begin() as connection:
        add_app(connection, app_id)
    ask_for(engine, app_id=app_id, url=url)
    with engine.begin() as connection:
        write(connection, 1, app_id=app_id)
    hour_ago = "created_at = clock_timestamp() - interval '1 hour'"
    change(engine, "app_events", hour_ago, app_id=app_id)


def test_without_apps_nothing_is_late(engine: Engine) -> None:
    """An organisation whose apps asked for nothing has no endpoint that is late or stopped."""
    assert measure(engine) == EndpointsState()


def test_what_nobody_called_is_overdue(engine: Engine) -> None:
    """An event that no worker has pushed for an hour is an hour old and overdue, numbered or not, until it is in hand."""
    add_waiting_event(engine)
    assert measure(engine).overdue_seconds > 3500
    number_all(engine)
    state = measure(engine)
    assert min(state.oldest_seconds, state.overdue_seconds) > 3500
    with engine.begin() as connection:
        lease = timedelta(seconds=60)
        [taken] = pushing.take_endpoints(connection, limit=1, failing=False, lease=lease)
    state = measure(engine)
    assert state.oldest_seconds > 3500
    assert state.overdue_seconds == 0
    with engine.begin() as connection:
        pushing.mark_taken(connection, taken, 1, lease=lease)
    assert measure(engine) == EndpointsState()


def test_an_endpoint_that_rests_is_behind_and_not_overdue(engine: Engine) -> None:
    """After a failure the event grows older; overdue it is from its next try on, when nobody makes it."""
    add_waiting_event(engine)
    change(engine, "app_callbacks", "attempts = 3, next_try_at = clock_timestamp() + interval '5 minutes'")  # fmt: skip
    state = measure(engine)
    assert state.oldest_seconds > 3500
    assert state.overdue_seconds == 0
    change(engine, "app_callbacks", "next_try_at = clock_timestamp() - interval '5 minutes'")
    assert 250 < measure(engine).overdue_seconds < 3500


def test_stopped_endpoints_are_counted_and_are_not_late(engine: Engine) -> None:
    """PAUSED and OFF are counted, each by itself; apps that only pull are neither late nor stopped."""
    for app_id, status in ((7, "PAUSED"), (8, "OFF"), (9, "OFF")):
        add_waiting_event(engine, app_id=app_id)
        change(engine, "app_callbacks", f"status = '{status}'", app_id=app_id)
    add_waiting_event(engine, app_id=10, url=None)
    assert measure(engine) == EndpointsState(paused=1, off=2)
