"""Finding a message by its id."""

from sqlalchemy import Engine

from storage.model.message import MessageStatus
from storage.postgres.messages import lookup, persistence, recalls
from storage.postgres.sends import failed_sends, persist_lane
from tests.builders import a_send, accept


def test_a_message_is_found_wherever_it_is_on_its_way(engine: Engine) -> None:
    """A message is found by its id with the status ACCEPTED, DELIVERED, RECALLED or FAILED, as it is."""
    with engine.begin() as connection:
        delivered, waiting, failed = accept(connection, a_send(), a_send(), a_send())
        persistence.persist(connection, [delivered])
        failed_sends.move_to_failed(connection, [failed])

        def status(id: int) -> MessageStatus | None:
            found = lookup.find_message(connection, id)
            return found.status if found else None

        assert status(delivered) is MessageStatus.DELIVERED
        assert status(waiting) is MessageStatus.ACCEPTED
        assert status(failed) is MessageStatus.FAILED
        assert status(12345) is None
        for id in (delivered, waiting, failed):
            found = lookup.find_message(connection, id)
            assert found is not None
            recalls.recall(connection, found.message)
            assert status(id) is MessageStatus.RECALLED
        assert persist_lane.claim(connection, 10).ids == []


def test_only_the_receiver_has_received_it(engine: Engine) -> None:
    """`find_received` finds a message for its receiver, and not for its sender or for others (contract §4, Callback URL)."""
    with engine.begin() as connection:
        [id] = accept(connection, a_send())
        persistence.persist(connection, [id])
        assert lookup.find_received(connection, id, user_id=2) is not None
        assert lookup.find_received(connection, id, user_id=1) is None
        assert lookup.find_received(connection, id, user_id=3) is None
