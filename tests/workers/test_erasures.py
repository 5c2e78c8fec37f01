"""Upkeep erases people, with the uploads that were never sent."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, text

from storage.model.errors import TransientError
from storage.postgres.messages import persistence
from storage.postgres.personal_data import erasure_steps, erasures
from tests.builders import A_COMMAND, a_notification, a_send, accept, add_app, add_people
from tests.counters import find_drift
from workers import upkeep
from workers.erasures import erase_slice
from workers.services import Services

KEY = f"user-1/{7:032x}.png"


def begin(engine: Engine) -> None:
    """Erase person 1, who has an upload, an hour ago."""
    with engine.begin() as connection:
        add_people(connection, [1, 2])
        add_app(connection)
        ids = accept(connection, a_send(), a_notification(1))
        persistence.persist(connection, ids)
        connection.execute(
            text(
                "INSERT INTO media_objects (key, owner, content_type, filename, size)"
                " VALUES (:key, 'user:1', 'image/png', 'a.png', 1)"
            ),
            {"key": KEY},
        )
        erasures.begin(connection, 1, actor=A_COMMAND)
        connection.execute(text("UPDATE erasures SET requested_at = now() - interval '1h'"))


def is_finished(engine: Engine) -> bool:
    """Whether the erasure of person 1 is finished."""
    with engine.begin() as connection:
        found = erasures.find(connection, 1)
    return found is not None and found.finished_at is not None


def test_upkeep_erases_to_the_end(services: Services, engine: Engine) -> None:
    """Everything goes in one call of upkeep that has time enough, the upload's file too, and counters stay right."""
    media: Any = services.media
    path = media.path_of(KEY)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"1")
    begin(engine)
    assert not upkeep.tidy(services, seconds=60)
    assert is_finished(engine)
    assert not path.exists()
    with engine.begin() as connection:
        assert find_drift(connection) == []
        assert connection.execute(text("SELECT count(*) FROM media_objects")).scalar_one() == 0


def test_a_media_store_that_is_away_stops_nothing_else(services: Services, engine: Engine) -> None:
    """The erasure says why it rests, and is finished when the store is back."""

    class Away:
        def delete(self, _key: str) -> None:
            raise TransientError("The media store is away.")

    away: Any = Away()
    services.media.prepare()
    begin(engine)
    while erase_slice(replace(services, media=away)):
        pass
    with engine.begin() as connection:
        found = erasures.find(connection, 1)
        assert found is not None
        assert (found.step, found.error) == ("media", "The media store is away.")
        connection.execute(text("UPDATE erasures SET try_at = now()"))
    while erase_slice(services):
        pass
    assert is_finished(engine)


def test_an_erasure_that_was_interrupted_goes_on(services: Services, engine: Engine) -> None:
    """A slice whose transaction was lost is done again; nothing is counted twice."""
    services.media.prepare()
    begin(engine)
    with engine.connect() as connection:
        assert erasure_steps.take_step(connection, slice=1) is not None
        connection.rollback()
    while erase_slice(services):
        pass
    assert is_finished(engine)
    with engine.begin() as connection:
        found = erasures.find(connection, 1)
    assert found is not None
    assert (found.deliveries, found.messages, found.media) == (2, 1, 1)
