"""Pulling: an app asks for its events, and so says how far it has them (contract §9)."""

from sqlalchemy import Connection

from storage.model.app_event import AppEvent
from storage.postgres.app_events import callbacks, numbering, reading


def pull_events(connection: Connection, app_id: int, *, after: int, limit: int) -> list[AppEvent]:
    """Up to `limit` of the app's events after the number `after`, in order, what was just committed included.

    That the app has everything up to `after` is noted. To be called in a transaction of its own: it numbers events
    (`numbering.number_events`). Safe to repeat; an app that asked for nothing has none.
    """
    callbacks.note_pull(connection, app_id, after=after)
    numbering.number_events(connection, app_id)
    return reading.list_events(connection, app_id, after=after, limit=limit)
