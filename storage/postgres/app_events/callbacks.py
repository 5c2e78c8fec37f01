"""What each app asked to be told of, and where its URL is: set by operators."""

from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.model.app_event import AppCallback, CallbackStatus
from storage.postgres.tables import app_callback_secrets, app_callbacks, app_events, app_reads

_COLUMNS = [app_callbacks.c[name] for name in AppCallback.__dataclass_fields__]


def find_callback(
    connection: Connection, app_id: int, *, for_update: bool = False
) -> AppCallback | None:
    """What the app with this integer id asked for; None if it asked for nothing. By the primary key.

    `for_update`: others who would change it, number its events or call its URL wait for the commit.
    """
    asked = select(*_COLUMNS).where(app_callbacks.c.app_id == app_id)
    if for_update:
        asked = asked.with_for_update()
    row = connection.execute(asked).mappings().first()
    return _read_row(row) if row else None


def list_callbacks(connection: Connection) -> list[AppCallback]:
    """What every app asked for, by the app's integer id. Apps are few: the table is read in full."""
    rows = connection.execute(select(*_COLUMNS).order_by(app_callbacks.c.app_id))
    return [_read_row(row) for row in rows.mappings()]


def _read_row(row: RowMapping) -> AppCallback:
    values: dict[str, Any] = dict(row)
    words = {"events": tuple(row["events"]), "status": CallbackStatus(row["status"])}
    return AppCallback(**(values | words))


def set_callback(
    connection: Connection, app_id: int, *, url: str | None, events: tuple[str, ...]
) -> AppCallback:
    """Let the app hear of these types of events from now on, at `url` (None: it only pulls); what it has then.

    The caller has checked that the app is there, the URL and the types. Another URL is active at once, whatever became
    of the one before; it is told of what no URL has taken yet, and if there was none, of what was not pulled. What was
    written before stays.
    """
    before = find_callback(connection, app_id, for_update=True)
    wanted: dict[str, Any] = {"url": url, "events": list(events)}
    if before is None or before.url != url:
        wanted |= {
            "status": CallbackStatus.ACTIVE,
            "attempts": 0,
            "next_try_at": func.clock_timestamp(),
            "last_error": None,
        }
    if before is not None and before.url is None and url is not None:
        wanted["taken_up_to"] = max(before.taken_up_to, before.pulled_up_to)
    row = insert(app_callbacks).values(app_id=app_id, **wanted)
    stored = row.on_conflict_do_update(index_elements=["app_id"], set_=wanted).returning(*_COLUMNS)
    return _read_row(connection.execute(stored).mappings().one())


def remove_callback(connection: Connection, app_id: int) -> AppCallback | None:
    """Forget what the app asked for, its keys and its events; what was, or None if it had asked for nothing."""
    found = find_callback(connection, app_id)
    for table in (app_callbacks, app_callback_secrets, app_reads, app_events):
        connection.execute(delete(table).where(table.c.app_id == app_id))
    return found


def note_pull(connection: Connection, app_id: int, *, after: int) -> None:
    """Note that the app has everything up to `after`, as far as that was given out. Safe to repeat."""
    noted = update(app_callbacks).where(
        app_callbacks.c.app_id == app_id, app_callbacks.c.pulled_up_to < after
    )
    up_to = func.greatest(app_callbacks.c.pulled_up_to, func.least(app_callbacks.c.last_seq, after))
    connection.execute(noted.values(pulled_up_to=up_to))
