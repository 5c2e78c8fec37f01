"""What can be sent: the fields of a message as keyword arguments, typed (docs/api/integrate-an-app.md, Notify one person)."""

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

MessageType = Literal["MESSAGE", "NOTIFICATION"]
CardState = Literal["PENDING", "DONE", "REJECTED", "CLOSED"]
ContentType = Literal["TEXT", "IMAGE", "VIDEO", "FILE", "USER_NOTIFICATION"]


class Text(TypedDict, total=False):
    """What every message has."""

    title: Required[str]
    content: Required[str | dict[str, Any]]
    content_type: ContentType
    client_ref: str
    send_at: datetime | str


class Button(TypedDict, total=False):
    """A button that signs on (`auto_sso` and `target_url`), or one of the sender's own (`action_url`)."""

    auto_sso: bool
    target_url: str
    action_url: str
    action_text: str


class Card(TypedDict, total=False):
    """What makes an app's notice a card, which the app changes later (docs/api/integrate-an-app.md, A card that changes).

    `ref`: the app's own name for the matter. `state`, if it is given, makes the card a to-do of its receivers.
    """

    ref: str
    state: CardState
    state_text: str


class AppMessage(Text, Button, Card, total=False):
    """An app's message to one person: `receiver_id`, or `app_user_id` for the app's own name of them.

    `type` is `NOTIFICATION` if it is not given. `sender_app_user_id`: the account on whose behalf the app sends.
    """

    type: MessageType
    receiver_id: int
    app_id: str
    app_user_id: str
    sender_app_user_id: str


class Notice(Text, Button, Card, total=False):
    """What an app tells everyone."""


class Change(TypedDict, total=False):
    """What is to change of a card; the rest stays. None takes a button, its text or the state's text away."""

    title: str
    content: str | dict[str, Any]
    action_url: str | None
    action_text: str | None
    auto_sso: bool
    target_url: str
    state: CardState
    state_text: str | None


class PersonMessage(TypedDict, total=False):
    """A person's message to another. `title` is `私信` if it is not given."""

    receiver_id: Required[int]
    content: Required[str | dict[str, Any]]
    title: str
    content_type: ContentType
    app_id: str
    auto_sso: bool
    target_url: str
    action_url: str
    action_text: str
    client_ref: str
    send_at: datetime | str
