"""Publishing: an event that cannot be published is set aside alone, and everything behind it goes on (fault row 42)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.model.event import Event, NewMessage
from storage.model.message import ContentType
from storage.postgres.messages import history, lookup, persistence
from storage.postgres.sends import backlog, persist_lane
from tests.builders import a_send, accept
from workers import persist
from workers.services import Services

KEY = "u-1/0123456789abcdef0123456789abcdef.png"
_PLANT = """
INSERT INTO accepted (id, sender_id, receiver_id, type, content_type, title, content)
VALUES (next_message_id(), 1, 2, :type, 'TEXT', 't', 'c') RETURNING id
"""
_SET_ASIDE = "SELECT message_id, attempts, error FROM unpublished WHERE error IS NOT NULL"
_DUE_NOW = "UPDATE unpublished SET try_at = clock_timestamp()"


class Keyless:
    """A media store whose credentials are gone, until they are back."""

    def __init__(self) -> None:
        self.is_back = False

    def url(self, key: str, *, filename: str = "") -> str:
        """What boto3 does without credentials."""
        if not self.is_back:
            raise RuntimeError("Unable to locate credentials")
        return f"https://bucket.example/{key}"


def set_aside(engine: Engine) -> list[Any]:
    """What is set aside now: (message_id, attempts, error)."""
    with engine.begin() as connection:
        return [tuple(row) for row in connection.execute(text(_SET_ASIDE))]


def due_now(engine: Engine) -> None:
    """Let what rests be tried at once."""
    with engine.begin() as connection:
        connection.execute(text(_DUE_NOW))


def list_published(services: Services) -> list[int]:
    """The ids of the messages whose event is on the bus, in its order."""
    bus: Any = services.bus
    return list(bus.ids())


def test_a_message_whose_event_cannot_be_built_is_set_aside_alone_and_tried_later(
    services: Services, engine: Engine
) -> None:
    """With S3's credentials gone images wait, everything else is published, and the images follow."""
    store = Keyless()
    media: Any = store
    keyless = replace(services, media=media)
    with engine.begin() as connection:
        [first] = accept(connection, a_send())
        [image] = accept(connection, a_send(content_type=ContentType.IMAGE, content=KEY))
        [second] = accept(connection, a_send())
    assert persist.drain(keyless) == 3
    assert list_published(services) == [first, second]
    [(id, attempts, error)] = set_aside(engine)
    assert (id, attempts) == (image, 1) and "RuntimeError" in error
    with engine.begin() as connection:
        [third] = accept(connection, a_send())
        assert backlog.measure_backlog(connection).set_aside == 1
    persist.drain(keyless)
    assert list_published(services) == [first, second, third]
    due_now(engine)
    persist.drain(keyless)
    assert [row[:2] for row in set_aside(engine)] == [(image, 2)]
    store.is_back = True
    due_now(engine)
    persist.drain(keyless)
    assert list_published(services) == [first, second, third, image]
    assert set_aside(engine) == []
    value = services.metrics.registry.get_sample_value
    assert value("carillon_events_set_aside_total") == 2


def test_a_type_of_a_newer_version_is_readable_and_its_event_waits_for_that_version(
    services: Services, engine: Engine
) -> None:
    """After a roll-back a row of a type nobody knows stops neither the lane nor a history."""
    with engine.begin() as connection:
        [first] = accept(connection, a_send())
        unknown = connection.execute(text(_PLANT), {"type": "TELEGRAM"}).scalar_one()
        [second] = accept(connection, a_send())
    assert persist.drain(services) == 3
    assert list_published(services) == [first, second]
    [(id, attempts, error)] = set_aside(engine)
    assert (id, attempts) == (unknown, 1) and "TELEGRAM" in error
    with engine.begin() as connection:
        [row] = history.list_history(connection, 2, peer_id=0)
        assert (row.message.id, row.message.type) == (unknown, "TELEGRAM")
        assert lookup.find_message(connection, unknown) is not None


@pytest.mark.parametrize("is_claimed", [True, False], ids=["recovery", "backlog"])
def test_what_cannot_be_published_does_not_stop_recovery_or_the_backlog(
    services: Services, engine: Engine, *, is_claimed: bool
) -> None:
    """The next holder meets the odd row first, sets it aside, and publishes what is behind it."""
    with engine.begin() as connection:
        unknown = connection.execute(text(_PLANT), {"type": "TELEGRAM"}).scalar_one()
        [orphan] = accept(connection, a_send())
        persist_lane.claim(connection, 10)
        persistence.persist(connection, [unknown, orphan])
        if not is_claimed:
            connection.execute(text("UPDATE persist_claims SET ids = '{}'"))
            connection.execute(
                text("INSERT INTO unpublished (message_id) SELECT unnest(CAST(:i AS bigint[]))"),
                {"i": [unknown, orphan]},
            )
        [newer] = accept(connection, a_send())
    persist.drain(services)
    assert list_published(services) == [orphan, newer]
    assert [row[0] for row in set_aside(engine)] == [unknown]


def test_an_event_that_cannot_be_encoded_is_set_aside_alone(
    services: Services, engine: Engine
) -> None:
    """A bus that raises for one event of a batch gets the others, in order."""
    with engine.begin() as connection:
        ids = accept(connection, a_send(), a_send(title="odd"), a_send())

    class PickyBus:
        def publish(self, events: Sequence[Event]) -> None:
            if any(isinstance(e, NewMessage) and e.message.title == "odd" for e in events):
                raise TypeError("Type is not JSON serializable")
            services.bus.publish(list(events))

    bus: Any = PickyBus()
    persist.drain(replace(services, bus=bus))
    assert list_published(services) == [ids[0], ids[2]]
    assert [row[0] for row in set_aside(engine)] == [ids[1]]


def test_what_is_set_aside_is_forgotten_once_it_is_recalled_or_past_retention(
    services: Services, engine: Engine
) -> None:
    """Nothing is tried for ever that nobody may see, or that is gone."""
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO unpublished (message_id) VALUES (4096)"))
        [recalled] = accept(connection, a_send())
        persistence.persist(connection, [recalled])
        connection.execute(text("UPDATE messages SET recalled_at = clock_timestamp()"))
        connection.execute(
            text("INSERT INTO unpublished (message_id) VALUES (:id)"), {"id": recalled}
        )
    persist.drain(services)
    assert list_published(services) == []
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM unpublished")).scalar() == 0
