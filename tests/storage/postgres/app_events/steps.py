"""What tests of events to apps do over and over."""

from typing import Any

from sqlalchemy import Connection, Engine, text

from storage.model.app_event import AppEvent, AppEventType
from storage.postgres.app_events import callbacks, numbering, reading

EVERY_TYPE = tuple(AppEventType)


def ask_for(engine: Engine, *types: str, app_id: int = 7, url: str | None = None) -> None:
    """Let the app hear of these types; of every type if none is named."""
    with engine.begin() as connection:
        callbacks.set_callback(connection, app_id, url=url, events=types or EVERY_TYPE)


def write(connection: Connection, mark: int, *, app_id: int = 7) -> None:
    """Write an event as a cause would, in the transaction of `connection`; `mark` is in its data."""
    event = "INSERT INTO app_events (app_id, type, data) VALUES (:app, 'message.failed', jsonb_build_object('mark', :mark))"
    connection.execute(text(event), {"app": app_id, "mark": mark})


def number_all(engine: Engine, app_id: int = 7) -> None:
    """Number what is committed."""
    while True:
        with engine.begin() as connection:
            if not numbering.number_events(connection, app_id):
                return


def list_all(engine: Engine, *, after: int = 0, app_id: int = 7) -> list[AppEvent]:
    """The app's numbered events after `after`."""
    with engine.begin() as connection:
        return reading.list_events(connection, app_id, after=after)


def hear(engine: Engine, app_id: int = 7) -> list[tuple[str, dict[str, Any]]]:
    """Number what is committed, and return all events of the app, in order: type and data."""
    number_all(engine, app_id)
    return [(event.type, event.data) for event in list_all(engine, app_id=app_id)]


def count_rows(connection: Connection) -> int:
    """How many events and raw reads there are, of all apps."""
    counted = "SELECT (SELECT count(*) FROM app_events) + (SELECT count(*) FROM app_reads)"
    return int(connection.execute(text(counted)).scalar_one())
