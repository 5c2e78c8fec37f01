"""Numbered events, as they are pushed and pulled."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from storage.model.app_event import AppEvent
from storage.postgres.app_events.numbering import GATHERED_JUST_NOW

EVENTS_OF_A_PAGE = 100
# As they are stored, compressed. A page is read and shown in the loop of its process, where others wait for it
# (docs/performance.md, Histories).
_BYTES_OF_A_PAGE = 64 * 1024

# Index app_events_seq. The size is known without reading what is stored out of line.
_PAGE = text(f"""
SELECT seq, type, data, created_at, 'evt_' || replace(CAST(webhook_id AS text), '-', '') AS webhook_id
  FROM (SELECT *, row_number() OVER by_seq AS place, sum(pg_column_size(data)) OVER by_seq AS bytes
          FROM (SELECT * FROM app_events WHERE app_id = :app_id AND seq > :after ORDER BY seq LIMIT :limit) next
        WINDOW by_seq AS (ORDER BY seq ROWS UNBOUNDED PRECEDING)) sized
 WHERE place = 1 OR bytes <= {_BYTES_OF_A_PAGE} ORDER BY seq
""")  # noqa: S608 (a number)


def list_events(
    connection: Connection, app_id: int, *, after: int, limit: int = EVENTS_OF_A_PAGE
) -> list[AppEvent]:
    """Up to `limit` of the app's numbered events after the number `after`, in order; fewer if they are large, none at the end.

    Who goes on after the last of them misses none: what is committed later gets a higher number (`numbering.py`).
    """
    asked = {"app_id": app_id, "after": after, "limit": limit}
    return [AppEvent(**row) for row in connection.execute(_PAGE, asked).mappings()]


# The same that `number_events` finds to do, or a number that is given out. Indexes app_events_seq,
# app_events_unnumbered, app_reads_pkey.
_HAVE_EVENTS = text(f"""
SELECT w.place - 1 FROM unnest(CAST(:app_ids AS int[]), CAST(:afters AS bigint[])) WITH ORDINALITY AS w(app_id, after, place)
  JOIN app_callbacks k ON k.app_id = w.app_id
 WHERE EXISTS (SELECT FROM app_events e WHERE e.app_id = w.app_id AND e.seq > w.after)
    OR EXISTS (SELECT FROM app_events e WHERE e.app_id = w.app_id AND e.seq IS NULL)
    OR NOT {GATHERED_JUST_NOW} AND EXISTS (SELECT FROM app_reads r WHERE r.app_id = w.app_id)
""")  # noqa: S608 (a constant)


def find_pulls_with_events(connection: Connection, pulls: Sequence[tuple[int, int]]) -> list[int]:
    """Which of these pulls (app and `after`) would find an event, perhaps one without a number yet; their places, from 0."""
    asked = {"app_ids": [app_id for app_id, _ in pulls], "afters": [after for _, after in pulls]}
    return list(connection.execute(_HAVE_EVENTS, asked).scalars())
