"""After a restore nothing that was given out is given out again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from storage.model.errors import InConflict
from storage.model.operator import Actor, Role
from storage.postgres.app_events.numbering import number_events
from storage.postgres.restores import SKIPPED_NUMBERS, begin_anew
from tests import wrong_clock
from tests.builders import a_send, accept, add_people
from tests.storage.postgres.app_events.steps import ask_for, list_all, number_all, write

ME = Actor("cli:root", Role.ADMIN)


def go_back(connection: Connection) -> None:
    """Forget all sends, and what sequences had given out, as a backup from before them does."""
    connection.execute(text("DELETE FROM accepted"))
    connection.execute(text("SELECT setval('message_ids', 2)"))


def test_a_scheduled_id_is_not_given_out_again(engine: Engine) -> None:
    """A send that is scheduled after the restore has another id than one for the same instant that was lost with the old server."""
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    with engine.begin() as connection:
        lost = accept(connection, *[a_send(send_at=due)] * 300)
        go_back(connection)
        begin_anew(connection, ME)
        again = accept(connection, *[a_send(send_at=due)] * 300)
    assert not set(lost) & set(again)
    assert again == sorted(set(again))


def test_eight_lives_have_ids_of_their_own(engine: Engine) -> None:
    """Sends for one instant in any of eight lives of the record have different ids, which rise within each."""
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    ids: list[int] = []
    for life in range(8):
        with engine.begin() as connection:
            connection.execute(text("SELECT setval('scheduled_lives', :life)"), {"life": life})
            found = accept(connection, *[a_send(send_at=due)] * 600)
            assert found == sorted(set(found))
            ids += found
            connection.execute(text("DELETE FROM accepted"))
    assert len(ids) == len(set(ids)) == 4_800


def test_live_ids_go_on_above_a_named_time(engine: Engine) -> None:
    """With the time up to which a lost server's clock was ahead, ids go on above that time."""
    ahead = datetime.now(UTC) + timedelta(hours=3)
    with engine.begin() as connection:
        begin_anew(connection, ME, ids_after=ahead)
        [id] = accept(connection, a_send())
        floor = text("SELECT message_id_floor(:instant)")
        assert id > connection.execute(floor, {"instant": ahead}).scalar_one()


def test_ids_go_on_above_the_backups_when_the_clock_is_behind_it(engine: Engine) -> None:
    """A clock that is behind the backup leads to no id that the backup holds."""
    wrong_clock.install(engine)
    with engine.begin() as connection:
        [before] = accept(connection, a_send())
    wrong_clock.shift(engine, -3_600)
    with engine.begin() as connection:
        begin_anew(connection, ME)
        [after] = accept(connection, a_send())
    assert after > before


def test_a_time_far_ahead_is_refused(engine: Engine) -> None:
    """Ids cannot be led past the months that have partitions."""
    with engine.begin() as connection, pytest.raises(InConflict, match="31 days"):
        begin_anew(connection, ME, ids_after=datetime.now(UTC) + timedelta(days=60))


def test_numbers_of_apps_go_on_higher(engine: Engine) -> None:
    """The integer id of an app that is added after the restore is not one that an app got after the backup."""
    new_app = text(
        "INSERT INTO apps (app_id, name, callback_url) VALUES (:id, 'A', '') RETURNING id"
    )
    with engine.begin() as connection:
        before = connection.execute(new_app, {"id": "a"}).scalar_one()
        begin_anew(connection, ME)
        after = connection.execute(new_app, {"id": "b"}).scalar_one()
    assert after == before + SKIPPED_NUMBERS + 1


def test_operators_sign_in_again_and_it_is_told_what_is_there(engine: Engine) -> None:
    """Sessions of the console end; people, and sends that wait to be delivered, are counted."""
    session = text("INSERT INTO console_sessions VALUES ('x', now() + interval '1 day')")
    with engine.begin() as connection:
        add_people(connection, (1, 2))
        accept(connection, a_send())
        connection.execute(session)
        found = begin_anew(connection, ME)
        left = connection.execute(text("SELECT count(*) FROM console_sessions")).scalar_one()
    assert (found.users, found.apps, found.accepted, left) == (2, 0, 1, 0)


def test_an_app_goes_on_behind_the_events_that_it_has(engine: Engine) -> None:
    """Numbers of events that were given out after the backup are not given to others, which an app would never ask for."""
    ask_for(engine)
    with engine.begin() as connection:
        for mark in range(3):
            write(connection, mark)
        assert number_events(connection, 7, limit=2) == 2
        begin_anew(connection, ME)
        begin_anew(connection, ME)
    number_all(engine)
    first, second, third = (event.seq for event in list_all(engine))
    assert (first, second) == (1, 2)
    assert third > 100_000
