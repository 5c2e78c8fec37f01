"""The columns of a message are named once: a field that is forgotten somewhere on the way is noticed here."""

from dataclasses import fields

from sqlalchemy import Connection, Engine

from storage.model.message import CardState, ContentType, Message, is_understood
from storage.model.send import Send
from storage.postgres.message_rows import make_message
from storage.postgres.messages import history, lookup, persistence, unpublished
from storage.postgres.sends import failed_sends
from storage.postgres.sends.withdrawals import withdraw
from storage.postgres.tables import accepted, messages
from tests.builders import a_notification, accept, add_app, add_people

# No field is None: what a statement forgets would be None when it is read again.
WHOLE = a_notification(
    sender_id=1,
    content_type=ContentType.FILE,
    content="media/1/report.pdf",
    action_url="https://oa.example.com/approvals/1",
    action_text="立即处理",
    filename="报告.pdf",
    client_ref="draft-7",
    state=CardState.PENDING,
    state_text="待张三处理",
    ref="leave-123",
)


def test_a_send_and_both_tables_have_every_field_of_a_message() -> None:
    """A field of a message is a field of a send and a column of both tables, or is made when it is accepted."""
    in_message = set(Message._fields)
    assert in_message - {"id", "created_at", "version"} <= {field.name for field in fields(Send)}
    assert in_message <= set(accepted.columns.keys())
    assert in_message - {"app_name"} <= set(messages.columns.keys())


def test_a_message_is_the_same_wherever_it_is_read(engine: Engine) -> None:
    """Accepted, persisted, in a history, by its id, to be published: every reading gives the same message."""
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, [1, 2])
        [id] = accept(connection, WHOLE)
        waiting = find_row(connection, id)
        [(persisted, _)] = persistence.persist(connection, [id])
        [in_history] = history.list_history(connection, 2, peer_id=-7)
        unpublished.add(connection, [id])
        _, [(due, _)] = unpublished.find_due(connection, 10)
        received = lookup.find_received(connection, id, user_id=2)
        assert None not in without_version(waiting)
        everywhere = [persisted, find_row(connection, id), in_history.message, due, received]
        assert everywhere == [waiting] * 5


def test_a_message_that_was_put_aside_is_the_same_when_it_is_found(engine: Engine) -> None:
    """A dead letter, and a send that was taken back out of the intake, keep every field of the message."""
    with engine.begin() as connection:
        add_app(connection)
        for put_aside in (failed_sends.move_to_failed, take_back):
            [id] = accept(connection, WHOLE)
            before = find_row(connection, id)
            put_aside(connection, [id])
            assert None not in without_version(before)
            assert find_row(connection, id) == before


def test_a_message_whose_type_is_of_a_newer_version_can_be_read() -> None:
    """A type that this version does not know is read as it is written, and raises nothing."""
    values: list[str | None] = [None] * len(Message._fields)
    values[Message._fields.index("type")] = "POLL"
    values[Message._fields.index("content_type")] = "TEXT"
    message = make_message(values)
    assert (message.type, message.content_type) == ("POLL", ContentType.TEXT)
    assert not is_understood(message)


def without_version(message: Message) -> list[object]:
    """The fields of a message but its version, which is None until it changes."""
    return list(message[: Message._fields.index("version")])


def find_row(connection: Connection, id: int) -> Message:
    """The message of this id, which must be there."""
    answer = lookup.find_message(connection, id)
    assert answer is not None
    return answer.message


def take_back(connection: Connection, ids: list[int]) -> None:
    """Withdraw each of these."""
    for id in ids:
        assert withdraw(connection, id)
