"""Short ways to make what tests talk about: people, apps, sends."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, insert, text

from storage.model.message import ContentType, MessageType
from storage.model.operator import Actor, Role
from storage.model.send import Accepted, IdempotencyKey, Send
from storage.postgres.sends import intake
from storage.postgres.sends.intake import IntakeItem
from storage.postgres.tables import apps, users

A_COMMAND = Actor("cli:test", Role.ADMIN, address="machine")


def a_send(**changes: Any) -> Send:
    """A private message from person 1 to person 2, unless changed."""
    fields: dict[str, Any] = {
        "sender_id": 1,
        "receiver_id": 2,
        "app_id": None,
        "app_name": None,
        "sent_by_app_id": None,
        "type": MessageType.MESSAGE,
        "content_type": ContentType.TEXT,
        "title": "私信",
        "content": "你好",
    }
    return Send(**(fields | changes))


def a_notification(receiver_id: int | None = 2, **changes: Any) -> Send:
    """A notification of app 7 to person 2, unless changed."""
    fields: dict[str, Any] = {
        "sender_id": None,
        "receiver_id": receiver_id,
        "app_id": 7,
        "app_name": "OA系统",
        "sent_by_app_id": 7,
        "type": MessageType.NOTIFICATION,
        "title": "审批通知",
    }
    return a_send(**(fields | changes))


def a_broadcast(**changes: Any) -> Send:
    """A broadcast of app 7 to everyone, unless changed."""
    return a_notification(receiver_id=None, **({"is_broadcast": True} | changes))


def accept(connection: Connection, *sends: Send, key: IdempotencyKey | None = None) -> list[int]:
    """Accept `sends` and return their ids; fails the test if one is refused."""
    answers = intake.accept(connection, [IntakeItem(send, key) for send in sends])
    for answer in answers:
        assert isinstance(answer, Accepted), answer
    return [answer.id for answer in answers if isinstance(answer, Accepted)]


def add_people(connection: Connection, ids: Iterable[int], **fields: Any) -> None:
    """Active people with names of their own, who joined long ago."""
    rows = [
        {"id": id, "name": f"人{id}", "mobile": f"1380000{id:04}", "english_name": f"person{id}"}
        | fields
        for id in ids
    ]
    connection.execute(insert(users), rows)
    connection.execute(text("UPDATE users SET created_at = now() - interval '1 day'"))


def add_app(connection: Connection, id: int = 7, **fields: Any) -> None:
    """App 7, 「OA系统」, unless changed."""
    row = {
        "id": id,
        "app_id": f"app_{id}",
        "name": "OA系统",
        "callback_url": "https://oa.example.com/callback",
    }
    connection.execute(insert(apps), row | fields)
