"""Sends for benches: what they are, and how they are accepted without ingest."""

from ops.bench.bench_environment import BenchEnvironment
from storage.broker.doorbell import Doorbell
from storage.broker.queues import SENDS
from storage.model.message import ContentType, MessageType
from storage.model.send import Accepted, Send
from storage.postgres.sends import intake
from storage.postgres.sends.intake import IntakeItem


def accept_send(environment: BenchEnvironment, doorbell: Doorbell, what: Send) -> int:
    """Accept a send as ingest does, and ring; returns the message's id. Raises what speaks against the send."""
    [answer] = environment.database.transaction(intake.accept, [IntakeItem(what)])
    if not isinstance(answer, Accepted):
        raise answer
    doorbell.ring(SENDS)
    return answer.id


def make_broadcast(app_id: int) -> Send:
    """A notification of this app to everyone."""
    return Send(
        sender_id=None,
        receiver_id=None,
        app_id=app_id,
        app_name="bench",
        sent_by_app_id=app_id,
        type=MessageType.NOTIFICATION,
        content_type=ContentType.TEXT,
        title="通知",
        content="全员通知",
        is_broadcast=True,
    )


def make_message(sender: int, receiver: int, *, content: str = "你好") -> Send:
    """A message from one person to another."""
    return Send(
        sender_id=sender,
        receiver_id=receiver,
        app_id=None,
        app_name=None,
        sent_by_app_id=None,
        type=MessageType.MESSAGE,
        content_type=ContentType.TEXT,
        title="私信",
        content=content,
    )


def make_message_between(number: int, *, people: int) -> Send:
    """The `number`-th of many messages: from somebody to somebody of persons 1 to `people`."""
    sender = number * 7919 % people + 1
    return make_message(sender, sender % people + 1)
