"""A message's way, and what a request sent, as operators look them up."""

from sqlalchemy import Connection, Engine

from storage.model.message import MessageStatus
from storage.model.send import Accepted, Send
from storage.postgres.messages import lookup, persistence, recalls, trails, unpublished
from storage.postgres.messages.trails import Publication, Trail
from storage.postgres.sends import failed_sends, intake
from storage.postgres.sends.intake import IntakeItem
from tests.builders import a_broadcast, a_send


def accept_from(connection: Connection, request_id: str, *sends: Send) -> list[int]:
    """Accept `sends` as those of one request; their ids."""
    items = [IntakeItem(send, None, f"{request_id} 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") for send in sends]  # fmt: skip
    answers = intake.accept(connection, items)
    return [answer.id for answer in answers if isinstance(answer, Accepted)]


def find(connection: Connection, id: int) -> Trail:
    """The trail of a message that is there."""
    found = trails.find_trail(connection, id)
    assert found is not None
    return found


def test_a_trail_says_where_a_message_is_and_which_request_sent_it(engine: Engine) -> None:
    """A trail has the request's id without its span, at every stage: waiting, failed, delivered and recalled."""
    with engine.begin() as connection:
        delivered, waiting, failed, recalled = accept_from(
            connection, "r-1", a_send(), a_send(), a_send(), a_send()
        )
        persistence.persist(connection, [delivered, recalled])
        failed_sends.move_to_failed(connection, [failed])
        message = lookup.find_message(connection, recalled)
        assert message is not None
        recalls.recall(connection, message.message)
        found = [find(connection, id) for id in (delivered, waiting, failed, recalled)]
        assert [one.request_id for one in found] == ["r-1"] * 4
        assert [one.found.status for one in found] == [
            MessageStatus.DELIVERED,
            MessageStatus.ACCEPTED,
            MessageStatus.FAILED,
            MessageStatus.RECALLED,
        ]
        assert [one.publication for one in found] == [
            Publication.DONE,
            Publication.NOT_YET,
            Publication.NOT_YET,
            None,
        ]
        assert found[2].trouble is not None
        assert found[3].recalled_at is not None
        assert trails.find_trail(connection, 12345) is None


def test_a_trail_says_whether_the_event_is_on_the_bus(engine: Engine) -> None:
    """A delivered message whose event the bus did not take is WAITING, and one whose event cannot be made is SET_ASIDE."""
    with engine.begin() as connection:
        waiting, broken = accept_from(connection, "r-2", a_send(), a_send())
        persistence.persist(connection, [waiting, broken])
        unpublished.add(connection, [waiting, broken])
        unpublished.set_aside(connection, {broken: "nobody can sign it"})
        assert find(connection, waiting).publication is Publication.WAITING
        found = find(connection, broken)
        assert found.publication is Publication.SET_ASIDE
        assert found.trouble is not None
        assert found.trouble.error == "nobody can sign it"


def test_a_withdrawn_send_keeps_its_request_id(engine: Engine) -> None:
    """A send that was taken back before it was in a history is still found by its request's id."""
    with engine.begin() as connection:
        [id] = accept_from(connection, "r-3", a_send())
        found = lookup.find_message(connection, id)
        assert found is not None
        recalls.recall(connection, found.message)
        [message] = trails.find_by_request_id(connection, "r-3").messages
        assert message.id == id


def test_what_a_request_sent_is_found_slice_by_slice(engine: Engine) -> None:
    """The first page has what waits and what the newest slice of messages holds, the next ones go on until the oldest."""
    with engine.begin() as connection:
        old = accept_from(connection, "r-4", a_send(), a_send())
        others = accept_from(connection, "r-5", *[a_send()] * 5)
        waiting, failed, announced = accept_from(
            connection, "r-4", a_send(), a_send(), a_broadcast(sent_by_app_id=7)
        )
        persistence.persist(connection, [*old, *others, announced])
        failed_sends.move_to_failed(connection, [failed])

        first = trails.find_by_request_id(connection, "r-4", slice=4)
        assert [one.id for one in first.messages] == [failed, waiting, announced]
        assert first.messages[2].receiver_id is None
        assert first.next_before_id == others[2]
        assert first.searched_to is not None
        second = trails.find_by_request_id(
            connection, "r-4", before_id=first.next_before_id, slice=3
        )
        assert [one.id for one in second.messages] == [old[1]]
        third = trails.find_by_request_id(
            connection, "r-4", before_id=second.next_before_id, slice=3
        )
        assert [one.id for one in third.messages] == [old[0]]
        assert (third.next_before_id, third.searched_to) == (None, None)
        assert trails.find_by_request_id(connection, "nobody's").messages == ()
