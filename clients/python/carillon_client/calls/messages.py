"""Sending one message, looking it up, and taking it back."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from carillon_client.exchange import Call, Request, call_json, exchange, make_post
from carillon_client.results import Message
from carillon_client.retries import Retries

# What the client document's examples call a person's message.
DEFAULT_TITLE = "私信"


def send(
    fields: Mapping[str, Any],
    retries: Retries,
    *,
    idempotency_key: str | None = None,
    wait: float | None = None,
) -> Call[Message]:
    """Send a message once, however often it has to be tried. `wait`: seconds in which it may get into the history."""
    headers = make_key_header(idempotency_key)
    if wait is not None:
        headers["Prefer"] = f"wait={wait:g}"
    request = make_post("/messages/", make_body(fields), headers=headers)
    return Message.from_json((yield from call_json(request, retries)))


def get_message(message_id: int, retries: Retries) -> Call[Message]:
    """The message, with its `status`."""
    request = Request("GET", f"/messages/{message_id:d}")
    return Message.from_json((yield from call_json(request, retries)))


def recall(message_id: int, retries: Retries) -> Call[None]:
    """Take a message back."""
    yield from exchange(Request("DELETE", f"/messages/{message_id:d}"), retries)


def make_key_header(key: str | None) -> dict[str, str]:
    """The Idempotency-Key: the given one, or a new one."""
    return {"Idempotency-Key": key or str(uuid.uuid4())}


def make_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a send: what is None is left out, and `send_at` is text. Raises ValueError if that has no offset."""
    body = {name: value for name, value in fields.items() if value is not None}
    send_at = body.get("send_at")
    if isinstance(send_at, datetime):
        if send_at.tzinfo is None:
            raise ValueError("send_at needs a time zone, such as datetime.now(UTC).")
        body["send_at"] = send_at.isoformat()
    return body


def make_app_fields(fields: Mapping[str, Any], *, app_id: str) -> dict[str, Any]:
    """An app's message: a notification, if nothing else is said; its accounts are those of `app_id`."""
    own = {"app_id": app_id} if fields.get("app_user_id") is not None else {}
    return {"type": "NOTIFICATION"} | own | dict(fields)


def make_person_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A person's message to another."""
    return {"type": "MESSAGE", "title": DEFAULT_TITLE} | dict(fields)
