"""Events are kept for 7 days or until the app has them, whichever is later, and 30 days at most (contract §9)."""

import pytest
from sqlalchemy import Engine, text

from storage.postgres.app_events import callbacks, retention
from tests.builders import add_app
from tests.storage.postgres.app_events.steps import ask_for, list_all, number_all, write

AGES = (1, 8, 29, 31)  # days
URL = "https://oa.example.com/events"


def let_go(engine: Engine, *, slice: int = 10) -> None:
    """Delete all that is past its time."""
    has_more = True
    while has_more:
        with engine.begin() as connection:
            has_more = retention.drop_old_events(connection, slice=slice)


def grow_old(engine: Engine) -> None:
    """Number an event of each age, the oldest first."""
    for days in reversed(AGES):
        with engine.begin() as connection:
            write(connection, days)
        number_all(engine)
        with engine.begin() as connection:
            connection.execute(
                text("""UPDATE app_events SET created_at = now() - make_interval(days => :days)
                         WHERE data ->> 'mark' = CAST(:days AS text)"""),
                {"days": days},
            )


def set_columns(engine: Engine, **values: object) -> None:
    """Change the app's row."""
    with engine.begin() as connection:
        for name, value in values.items():
            connection.execute(text(f"UPDATE app_callbacks SET {name} = :value"), {"value": value})


@pytest.mark.parametrize(
    ("url", "row", "kept"),
    [
        (None, {}, [29, 8, 1]),
        (None, {"pulled_up_to": 3}, [1]),
        (None, {"pulled_up_to": 2}, [8, 1]),
        (None, {"taken_up_to": 4}, [29, 8, 1]),
        (URL, {"taken_up_to": 3}, [1]),
        (URL, {"pulled_up_to": 3}, [29, 8, 1]),
        (URL, {"taken_up_to": 3, "status": "PAUSED"}, [29, 8, 1]),
        (URL, {"pulled_up_to": 3, "status": "OFF"}, [1]),
    ],
)
def test_what_is_kept(
    engine: Engine, url: str | None, row: dict[str, object], kept: list[int]
) -> None:
    """What an active URL has taken, or else a pull, goes after 7 days; the rest after 30."""
    ask_for(engine, url=url)
    grow_old(engine)
    set_columns(engine, **row)
    let_go(engine)
    assert [event.data["mark"] for event in list_all(engine)] == kept


def test_it_is_deleted_in_slices(engine: Engine) -> None:
    """One call deletes no more than a slice, and says that there is more."""
    ask_for(engine)
    with engine.begin() as connection:
        for mark in range(5):
            write(connection, mark)
        connection.execute(text("UPDATE app_events SET created_at = now() - interval '31 days'"))
    left = []
    for _ in range(3):
        with engine.begin() as connection:
            has_more = retention.drop_old_events(connection, slice=2)
            count = connection.execute(text("SELECT count(*) FROM app_events")).scalar_one()
            left.append((has_more, count))
    assert left == [(True, 3), (True, 1), (False, 0)]


def test_reads_that_nobody_asked_for_go_after_thirty_days(engine: Engine) -> None:
    """Raw reads of an app that never asks go when events would."""
    with engine.begin() as connection:
        add_app(connection)
        for days in AGES:
            connection.execute(
                text("""INSERT INTO app_reads (app_id, message_id, user_id, read_at)
                        VALUES (7, 1, :days, now() - make_interval(days => :days))"""),
                {"days": days},
            )
    let_go(engine)
    with engine.begin() as connection:
        left = connection.execute(text("SELECT user_id FROM app_reads ORDER BY 1")).scalars().all()
    assert left == [1, 8, 29]


def test_an_app_that_hears_no_more_leaves_nothing(engine: Engine) -> None:
    """With its callback an app's events, reads and keys go, and those of another app stay."""
    for app_id in (7, 8):
        ask_for(engine, app_id=app_id)
        with engine.begin() as connection:
            write(connection, app_id, app_id=app_id)
            connection.execute(
                text("INSERT INTO app_reads VALUES (:app, 1, 1, 1, now())"), {"app": app_id}
            )
    with engine.begin() as connection:
        assert callbacks.remove_callback(connection, 7) is not None
        assert callbacks.remove_callback(connection, 7) is None
        left = """SELECT app_id FROM app_events UNION ALL SELECT app_id FROM app_reads
                  UNION ALL SELECT app_id FROM app_callbacks"""
        assert connection.execute(text(left)).scalars().all() == [8, 8, 8]
